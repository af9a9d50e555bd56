package io.github.ferkit;

/** Cuts a square out of a frame and resizes it to the 48x48 gray pixels that a model takes, as OpenCV does. */
public final class FaceCrop {
    /** Width and height of a face in pixels. */
    public static final int SIDE = 48;

    private FaceCrop() {}

    /**
     * Returns the face in a square, 48 * 48 bytes of gray 0-255, row by row. Pixels outside the frame repeat
     * the frame's edge.
     */
    public static byte[] of(Frame frame, Square square) {
        return new Resizing(frame, square.left, square.top, square.side, square.side).to(SIDE, SIDE);
    }
}
