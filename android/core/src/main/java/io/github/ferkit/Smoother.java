package io.github.ferkit;

/**
 * The mean of one face's scores over time, which starts again where the expression changes.
 *
 * <p>A long mean is steady and late, a short one quick and restless. The long mean is the result. Where the
 * short one is far from it, the long one starts again from there.
 */
public final class Smoother {
    private static final double SHORT_TIME_CONSTANT_SECONDS = 0.1;
    private static final double LONGEST_STEP_BACK_SECONDS = 1.0;

    private final double timeConstantSeconds;
    private final double change;
    private Mean longMean;
    private Mean shortMean;
    private double lastSeconds = Double.NEGATIVE_INFINITY;
    private double restartedSeconds = Double.NEGATIVE_INFINITY;

    /**
     * Makes a smoother for one face.
     *
     * @param timeConstantSeconds of the long mean: the time after which a frame's weight is 1/e; 0 gives each
     *     frame's own scores
     * @param change the distance between the means, half the sum of the absolute differences, above which the
     *     long one starts again
     */
    public Smoother(double timeConstantSeconds, double change) {
        this.timeConstantSeconds = timeConstantSeconds;
        this.change = change;
    }

    /**
     * Takes in a frame's scores and returns the mean.
     *
     * @param scores a probability for each label; they are not changed
     * @param seconds the frame's time. An earlier one than the last counts as the last. If it is earlier by
     *     more than a second, a clock was set back: time goes on from there, and the mean is kept
     * @throws IllegalArgumentException for a time that is not finite, or another number of scores than before
     */
    public float[] add(float[] scores, double seconds) {
        if (Double.isNaN(seconds) || Double.isInfinite(seconds)) {
            throw new IllegalArgumentException("Expected a finite number of seconds, got " + seconds + ".");
        }
        if (longMean == null) {
            longMean = shortMean = new Mean(new double[scores.length], 0);
        }
        if (longMean.sums.length != scores.length) {
            throw new IllegalArgumentException(
                    "Expected " + longMean.sums.length + " scores as before, got " + scores.length + ".");
        }
        double elapsed = seconds - lastSeconds;
        if (elapsed >= 0 || elapsed < -LONGEST_STEP_BACK_SECONDS) {
            lastSeconds = seconds;
        }
        longMean = longMean.add(scores, decay(elapsed, timeConstantSeconds));
        shortMean = shortMean.add(
                scores, decay(elapsed, Math.min(SHORT_TIME_CONSTANT_SECONDS, timeConstantSeconds)));
        if (longMean.distance(shortMean) > change) {
            longMean = shortMean;
            restartedSeconds = seconds;
        }
        float[] means = new float[scores.length];
        for (int i = 0; i < means.length; i++) {
            means[i] = (float) longMean.of(i);
        }
        return means;
    }

    /** Returns the time at which the mean last started again; minus infinity where it never did. */
    public double restartedSeconds() {
        return restartedSeconds;
    }

    /** Returns the weight that is left of 1 after a time: exp(-elapsed / time constant), at most 1. */
    static double decay(double elapsedSeconds, double timeConstantSeconds) {
        return timeConstantSeconds <= 0 ? 0 : Math.exp(-Math.max(0, elapsedSeconds) / timeConstantSeconds);
    }

    /**
     * A weighted mean of scores, as their weighted sums and the sum of the weights; it is never changed.
     *
     * <p>The first frames give their plain mean. Every frame counts once, however unevenly frames come.
     */
    private static final class Mean {
        final double[] sums;
        final double weight;

        Mean(double[] sums, double weight) {
            this.sums = sums;
            this.weight = weight;
        }

        /** Returns the mean with one more frame; {@code kept} is the factor of the older frames' weights. */
        Mean add(float[] scores, double kept) {
            double[] added = new double[sums.length];
            for (int i = 0; i < added.length; i++) {
                added[i] = kept * sums[i] + scores[i];
            }
            return new Mean(added, kept * weight + 1);
        }

        /** Returns one label's mean. */
        double of(int label) {
            return sums[label] / weight;
        }

        /** Returns the probability that moved to other labels: half the sum of the absolute differences. */
        double distance(Mean other) {
            double sum = 0;
            for (int i = 0; i < sums.length; i++) {
                sum += Math.abs(of(i) - other.of(i));
            }
            return sum / 2;
        }
    }
}
