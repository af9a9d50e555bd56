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
