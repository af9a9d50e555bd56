package io.github.ferkit;

import java.util.List;

/** The expression of one face over time: smoothed scores and a steady label. */
public final class Expression {
    /** Seconds after which a frame's weight is 1/e. */
    public static final double TIME_CONSTANT_SECONDS = 1.0;

    /** The lead in probability with which another label replaces the shown one. */
    public static final double MARGIN = 0.1;

    /** The least probability of a shown label. */
    public static final double THRESHOLD = 0.4;

    /** The probability that moves to other labels in a change of expression. */
    public static final double CHANGE = 0.3;

    /** Seconds after a change of label in which the margin is {@link #HOLD_MARGINS} times as large. */
    public static final double HOLD_SECONDS = 10.0;

    /** See {@link #HOLD_SECONDS}. */
    public static final double HOLD_MARGINS = 2.0;

    /** Seconds after a change of expression in which it is not. */
    public static final double SETTLE_SECONDS = 0.5;

    /** The label where no score reaches the threshold. */
    public static final String UNCERTAIN = "uncertain";

    /** No label was shown yet. */
    static final int NONE = -1;

    private final List<String> labels;
    private final Smoother smoother;
    private final double margin;
    private final double threshold;
    private float[] scores;
    private int shown = NONE;

    /** When the label last changed while the expression didn't. */
    private double changedSeconds = Double.NEGATIVE_INFINITY;

    /** Follows a face with the Python runtime's own settings. */
    public Expression(List<String> labels) {
        this(labels, TIME_CONSTANT_SECONDS, MARGIN, THRESHOLD, CHANGE);
    }

    /** Follows a face with other settings, which the constants describe. */
    public Expression(List<String> labels, double timeConstantSeconds, double margin, double threshold,
            double change) {
        this.labels = labels;
        this.smoother = new Smoother(timeConstantSeconds, change);
        this.margin = margin;
        this.threshold = threshold;
        this.scores = new float[labels.size()];
    }

    /**
     * Takes in a frame's scores and returns the label to show, or {@link #UNCERTAIN}.
     *
     * @param frameScores a probability for each label
     * @param seconds the frame's time
     */
    public String update(float[] frameScores, double seconds) {
        if (frameScores.length != labels.size()) {
            throw new IllegalArgumentException("Expected a score for each of " + labels.size()
                    + " labels, got " + frameScores.length + ".");
        }
        scores = smoother.add(frameScores, seconds);
        double sinceRestart = seconds - smoother.restartedSeconds();
        boolean settling = sinceRestart >= 0 && sinceRestart <= SETTLE_SECONDS;
        double sinceChange = seconds - changedSeconds;
        boolean held = !settling && sinceChange < HOLD_SECONDS && sinceChange >= 0;
        int next = choose(scores, shown, held ? margin * HOLD_MARGINS : margin, threshold);
        if (settling) {
            changedSeconds = Double.NEGATIVE_INFINITY;
        } else if (shown != NONE && next != shown) {
            changedSeconds = seconds;
        }
        shown = next;
        return shown < labels.size() ? labels.get(shown) : UNCERTAIN;
    }

    /** Returns the smoothed scores, a probability for each label; zeros before the first frame. */
    public float[] scores() {
        return scores.clone();
    }

    /**
     * Returns the index of the label to show, {@code scores.length} for uncertain.
     *
     * <p>Uncertain is one more candidate, whose probability is always {@code threshold}. The likeliest
     * candidate is chosen first. It stays until another leads it by more than the margin, or until it falls
     * below {@code threshold}. Above a high threshold no label could lead uncertain by the margin: there two
     * thirds of what is left to 1 are enough.
     *
     * @param scores smoothed probabilities
     * @param shown the index that was chosen last, {@link #NONE} at first
     */
    static int choose(float[] scores, int shown, double margin, double threshold) {
        int best = 0;
        for (int i = 1; i <= scores.length; i++) {
            if (candidate(scores, i, threshold) > candidate(scores, best, threshold)) {
                best = i;
            }
        }
        if (shown == NONE) {
            return best;
        }
        if (shown == scores.length) {
            margin = Math.min(margin, 2.0 / 3 * (1 - threshold));
        }
        double its = candidate(scores, shown, threshold);
        if (candidate(scores, best, threshold) - its > margin) {
            return best;
        }
        return its >= threshold ? shown : scores.length;
    }

    private static double candidate(float[] scores, int index, double threshold) {
        return index < scores.length ? scores[index] : threshold;
    }
}
