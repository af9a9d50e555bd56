package io.github.ferkit;

/** A face that a detector found. */
public final class Detection {
    /** Where it is, in pixels of the frame; it may reach beyond it. */
    public final Box box;

    /** How sure the detector is, 0 to 1. */
    public final float confidence;

    public Detection(Box box, float confidence) {
        this.box = box;
        this.confidence = confidence;
    }

    @Override
    public String toString() {
        return box + " " + confidence;
    }
}
