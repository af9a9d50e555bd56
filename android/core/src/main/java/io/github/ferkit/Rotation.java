package io.github.ferkit;

/**
 * A clockwise rotation by a multiple of 90 degrees, which brings a camera's image upright.
 *
 * <p>A sensor is fixed in its phone, so its images lie on a side or upside down. Android gives the angle as
 * {@code rotationDegrees}. The models were trained on upright faces.
 */
public enum Rotation {
    NONE,
    CLOCKWISE_90,
    HALF,
    CLOCKWISE_270;

    /**
     * Returns the clockwise rotation by some degrees.
     *
     * @throws IllegalArgumentException for other degrees than 0, 90, 180 and 270
     */
    public static Rotation of(int degrees) {
        if (degrees < 0 || degrees > 270 || degrees % 90 != 0) {
            throw new IllegalArgumentException(
                    "Expected a rotation of 0, 90, 180 or 270 degrees, got " + degrees + ".");
        }
        return values()[degrees / 90];
    }

    /** Returns the opposite rotation. */
    public Rotation inverse() {
        return values()[(4 - ordinal()) % 4];
    }

    /** Whether width and height are swapped. */
    public boolean isSideways() {
        return ordinal() % 2 == 1;
    }

    /**
     * Returns where a box of a frame is in the rotated frame.
     *
     * @param box in pixels of the frame before the rotation
     * @param width the frame's width before the rotation
     * @param height the frame's height before the rotation
     */
    public Box of(Box box, double width, double height) {
        double right = width - box.x - box.width;
        double below = height - box.y - box.height;
        switch (this) {
            case CLOCKWISE_90:
                return new Box(below, box.x, box.height, box.width);
            case HALF:
                return new Box(right, below, box.width, box.height);
            case CLOCKWISE_270:
                return new Box(box.y, right, box.height, box.width);
            default:
                return box;
        }
    }

    /** Returns a rotated frame; no pixel is copied. */
    public Frame of(Frame frame) {
        return this == NONE ? frame : new Turned(frame, this);
    }

    private static final class Turned implements Frame {
        private final Frame frame;
        private final Rotation rotation;

        Turned(Frame frame, Rotation rotation) {
            this.frame = frame;
            this.rotation = rotation;
        }

        @Override
        public int width() {
            return rotation.isSideways() ? frame.height() : frame.width();
        }

        @Override
        public int height() {
            return rotation.isSideways() ? frame.width() : frame.height();
        }

        @Override
        public int gray(int x, int y) {
            switch (rotation) {
                case CLOCKWISE_90:
                    return frame.gray(y, frame.height() - 1 - x);
                case HALF:
                    return frame.gray(frame.width() - 1 - x, frame.height() - 1 - y);
                default:
                    return frame.gray(frame.width() - 1 - y, x);
            }
        }
    }
}
