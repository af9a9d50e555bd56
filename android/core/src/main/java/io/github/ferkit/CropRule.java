package io.github.ferkit;

/** The rule from a detector's box to the square of a face: a card's {@code input.crop} for it. */
public final class CropRule {
    /** The square's side in longer sides of the box. */
    public final double scale;

    /** How far the square moves to the right, in sides of the square. */
    public final double shiftX;

    /** How far the square moves down, in sides of the square. */
    public final double shiftY;

    public CropRule(double scale, double shiftX, double shiftY) {
        this.scale = scale;
        this.shiftX = shiftX;
        this.shiftY = shiftY;
    }
}
