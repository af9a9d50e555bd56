package io.github.ferkit;

import java.util.List;

/** What a face shows at one moment. */
public final class LabelledFace {
    /** The number by which the detector knows the face. */
    public final int id;

    /** Where it is, in pixels of the upright frame. */
    public final Box box;

    /** The label to show, or {@link Expression#UNCERTAIN}. */
    public final String label;

    /** The likeliest labels by smoothed probability, the likeliest first: all of them. */
    public final List<Score> scores;

    /** The likeliest labels of this frame alone, the likeliest first. */
    public final List<Score> frameScores;

    LabelledFace(int id, Box box, String label, List<Score> scores, List<Score> frameScores) {
        this.id = id;
        this.box = box;
        this.label = label;
        this.scores = scores;
        this.frameScores = frameScores;
    }
}
