package io.github.ferkit;

/** A frame of bytes, three for each pixel, blue first, row by row: OpenCV's layout. */
public final class BgrFrame implements Frame {
    private final byte[] pixels;
    private final int width;
    private final int height;

    /**
     * Wraps the bytes; they are not copied.
     *
     * @param pixels 3 * width * height bytes
     * @throws IllegalArgumentException for another number of bytes, or a frame without a pixel
     */
    public BgrFrame(byte[] pixels, int width, int height) {
        if (width < 1 || height < 1 || pixels.length != 3L * width * height) {
            throw new IllegalArgumentException("Expected 3 bytes for each pixel of a frame of " + width + "x"
                    + height + " pixels, got " + pixels.length + " bytes.");
        }
        this.pixels = pixels;
        this.width = width;
        this.height = height;
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public int height() {
        return height;
    }

    @Override
    public int gray(int x, int y) {
        int first = 3 * (y * width + x);
        return Luma.of(pixels[first + 2] & 255, pixels[first + 1] & 255, pixels[first] & 255);
    }
}
