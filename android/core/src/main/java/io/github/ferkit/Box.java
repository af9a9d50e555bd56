package io.github.ferkit;

/** A rectangle in pixels of a frame or a view, which may leave it on any side. */
public final class Box {
    /** Left edge. */
    public final double x;

    /** Upper edge. */
    public final double y;

    /** Width, in the same pixels. */
    public final double width;

    /** Height, in the same pixels. */
    public final double height;

    public Box(double x, double y, double width, double height) {
        this.x = x;
        this.y = y;
        this.width = width;
        this.height = height;
    }

    /** Returns the box in whole pixels, halves up, of at least one pixel: the one that is cropped and shown. */
    Box inWholePixels() {
        return new Box(Math.floor(x + 0.5), Math.floor(y + 0.5), Math.max(1, Math.floor(width + 0.5)),
                Math.max(1, Math.floor(height + 0.5)));
    }

    /** Returns the box around the same centre, so many times as wide and high. */
    Box enlarged(double factor) {
        return new Box(x - width * (factor - 1) / 2, y - height * (factor - 1) / 2, width * factor,
                height * factor);
    }

    /** Returns the share of the area of both boxes that they have in common, 0 to 1. */
    double intersectionOverUnion(Box other) {
        double across = Math.min(x + width, other.x + other.width) - Math.max(x, other.x);
        double down = Math.min(y + height, other.y + other.height) - Math.max(y, other.y);
        double shared = Math.max(across, 0) * Math.max(down, 0);
        return shared / (width * height + other.width * other.height - shared);
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Box)) {
            return false;
        }
        Box box = (Box) other;
        return x == box.x && y == box.y && width == box.width && height == box.height;
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    @Override
    public String toString() {
        return "(" + x + ", " + y + ", " + width + ", " + height + ")";
    }
}
