package io.github.ferkit;

/**
 * A frame as a face detector takes it: gray, reduced to fit, in the upper left corner, black beside it.
 *
 * <p>Only a frame whose longer side is below 200 pixels is enlarged, as the faces in it would be too small.
 * With {@code round} to the nearest, halves to even:
 *
 * <pre>
 * scale = min(inputHeight / height, inputWidth / width, max(1, 200 / max(width, height)))
 * size  = max(1, round(width * scale)), max(1, round(height * scale))
 * </pre>
 */
final class Letterbox {
    private static final double SMALLEST = 200;

    /** Gray 0-255 of the input, row by row. */
    final byte[] pixels;

    private final double ratioX; // pixels of the input to one of the frame
    private final double ratioY;

    /**
     * Fits a frame into a detector's input.
     *
     * @param width of the input in pixels
     * @param height of the input
     */
    Letterbox(Frame frame, int width, int height) {
        int longer = Math.max(frame.width(), frame.height());
        double fit = Math.min(height / (double) frame.height(), width / (double) frame.width());
        double scale = Math.min(fit, Math.max(1, SMALLEST / longer));
        int innerWidth = Math.max(1, (int) Math.rint(frame.width() * scale));
        int innerHeight = Math.max(1, (int) Math.rint(frame.height() * scale));
        byte[] inner = new Resizing(frame, 0, 0, frame.width(), frame.height()).to(innerWidth, innerHeight);
        pixels = new byte[width * height];
        for (int y = 0; y < innerHeight; y++) {
            System.arraycopy(inner, y * innerWidth, pixels, y * width, innerWidth);
        }
        ratioX = innerWidth / (double) frame.width();
        ratioY = innerHeight / (double) frame.height();
    }

    /** Returns a box of the input in pixels of the frame, rounded to float as in Python. */
    Box onFrame(float x, float y, float width, float height) {
        return new Box((float) (x / ratioX), (float) (y / ratioY), (float) (width / ratioX),
                (float) (height / ratioY));
    }
}
