package io.github.ferkit;

/**
 * An image with faces, read as gray pixels.
 *
 * <p>Implement it over a camera's own buffer: only the pixels of a face's square are read.
 */
public interface Frame {
    /** Returns the width in pixels, 1 or more. */
    int width();

    /** Returns the height in pixels, 1 or more. */
    int height();

    /**
     * Returns a pixel's gray, 0-255, as {@link Luma} gives it.
     *
     * @param x column, 0 to width - 1
     * @param y row, 0 to height - 1
     */
    int gray(int x, int y);
}
