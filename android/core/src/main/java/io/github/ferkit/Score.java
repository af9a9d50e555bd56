package io.github.ferkit;

import java.util.ArrayList;
import java.util.List;

/** A label with its probability. */
public final class Score {
    /** The label's name. */
    public final String label;

    /** Its probability, 0-1. */
    public final float probability;

    public Score(String label, float probability) {
        this.label = label;
        this.probability = probability;
    }

    /**
     * Returns the likeliest labels, the likeliest first; equal ones in the order of the labels.
     *
     * @param scores a probability for each label
     * @param labels the labels, in the scores' order
     * @param count how many to return; all, where there are fewer
     */
    public static List<Score> top(float[] scores, List<String> labels, int count) {
        if (scores.length != labels.size() || count < 0) {
            throw new IllegalArgumentException("Expected a score for each of " + labels.size()
                    + " labels and a count of 0 or more, got " + scores.length + " and " + count + ".");
        }
        List<Score> top = new ArrayList<Score>();
        for (int i = 0; i < scores.length; i++) {
            int rank = top.size();
            while (rank > 0 && top.get(rank - 1).probability < scores[i]) {
                rank--;
            }
            top.add(rank, new Score(labels.get(i), scores[i]));
        }
        return new ArrayList<Score>(top.subList(0, Math.min(count, top.size())));
    }

    @Override
    public String toString() {
        return label + " " + probability;
    }
}
