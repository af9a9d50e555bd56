package io.github.ferkit;

/** A square of whole pixels in a frame, which may leave the frame on any side. */
public final class Square {
    /** A side above this is a mistake: its face would be looked up in a quarter of a billion pixels. */
    public static final int LARGEST_SIDE = 16384;

    /** First column. */
    public final int left;

    /** First row. */
    public final int top;

    /** Width and height in pixels. */
    public final int side;

    public Square(int left, int top, int side) {
        if (side < 1 || side > LARGEST_SIDE) {
            throw new IllegalArgumentException(
                    "Expected a square of 1 to " + LARGEST_SIDE + " pixels, got " + side + ".");
        }
        this.left = left;
        this.top = top;
        this.side = side;
    }

    /**
     * Returns the square around a detector's box. With {@code round(v) = floor(v + 0.5)}:
     *
     * <pre>
     * side = max(1, round(max(width, height) * scale))
     * left = round(x + width / 2 + shiftX * side - side / 2)
     * top  = round(y + height / 2 + shiftY * side - side / 2)
     * </pre>
     *
     * @param x left edge of the box in pixels of the frame
     * @param y upper edge of the box
     * @param width width of the box, above 0
     * @param height height of the box, above 0
     * @throws IllegalArgumentException for a box that is not finite or has no size, and for a side above
     *     {@link #LARGEST_SIDE}
     */
    public static Square of(double x, double y, double width, double height, CropRule rule) {
        String box = "(" + x + ", " + y + ", " + width + ", " + height + ")";
        // The sum is finite only if every number is, short of numbers that no frame has.
        if (Double.isNaN(x + y + width + height) || Double.isInfinite(x + y + width + height)
                || width <= 0 || height <= 0) {
            throw new IllegalArgumentException(
                    "Expected a box (x, y, width, height) with a size above 0, got " + box + ".");
        }
        double longer = Math.max(width, height) * rule.scale;
        if (!(longer > 0 && longer <= LARGEST_SIDE)) {
            throw new IllegalArgumentException("Expected a square of at most " + LARGEST_SIDE
                    + " pixels, got " + longer + " from the box " + box + " and the scale " + rule.scale + ".");
        }
        int side = Math.max(1, round(longer));
        int left = round(x + width / 2 + rule.shiftX * side - side / 2.0);
        int top = round(y + height / 2 + rule.shiftY * side - side / 2.0);
        return new Square(left, top, side);
    }

    private static int round(double value) {
        return (int) Math.floor(value + 0.5);
    }
}
