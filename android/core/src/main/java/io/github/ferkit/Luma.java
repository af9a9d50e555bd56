package io.github.ferkit;

/** Gray from colour: BT.601 luma with OpenCV's integers, so that the models see what they were trained on. */
public final class Luma {
    private Luma() {}

    /**
     * Returns the gray, 0-255, of a colour.
     *
     * @param red 0-255
     * @param green 0-255
     * @param blue 0-255
     */
    public static int of(int red, int green, int blue) {
        return (3735 * blue + 19235 * green + 9798 * red + 16384) >> 15;
    }
}
