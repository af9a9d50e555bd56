package io.github.ferkit;

/** A frame of ints 0xAARRGGBB, row by row, as {@code Bitmap.getPixels} gives it; alpha is ignored. */
public final class ArgbFrame implements Frame {
    private final int[] pixels;
    private final int width;
    private final int height;

    /**
     * Wraps the ints; they are not copied.
     *
     * @param pixels width * height ints
     * @throws IllegalArgumentException for another number of ints, or a frame without a pixel
     */
    public ArgbFrame(int[] pixels, int width, int height) {
        if (width < 1 || height < 1 || pixels.length != (long) width * height) {
            throw new IllegalArgumentException("Expected an int for each pixel of a frame of " + width + "x"
                    + height + " pixels, got " + pixels.length + " ints.");
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
        int pixel = pixels[y * width + x];
        return Luma.of(pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255);
    }
}
