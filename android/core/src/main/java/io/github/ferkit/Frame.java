package io.github.ferkit;

/**
 * An image in which faces are looked for, seen as gray pixels.
 *
 * <p>Implement it over whatever a camera hands out: only the pixels of a face's square are asked for.
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
