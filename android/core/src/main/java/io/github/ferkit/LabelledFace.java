package io.github.ferkit;

import java.util.List;

/** A face with its label and probabilities at one moment. */
public final class LabelledFace {
    /** The detector's number of the face. */
    public final int id;

    /** Where it is, in pixels of the upright frame. */
    public final Box box;

    /** The label to show, or {@link Expression#UNCERTAIN}. */
    public final String label;

    /** All labels with their smoothed probabilities, the likeliest first. */
    public final List<Score> scores;

    /** All labels with their probabilities in this frame alone, the likeliest first. */
    public final List<Score> frameScores;

    LabelledFace(int id, Box box, String label, List<Score> scores, List<Score> frameScores) {
        this.id = id;
        this.box = box;
        this.label = label;
        this.scores = scores;
        this.frameScores = frameScores;
    }
}
