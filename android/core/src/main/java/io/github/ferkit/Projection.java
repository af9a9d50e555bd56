package io.github.ferkit;

/**
 * Maps pixels of an upright frame to pixels of the view that shows it.
 *
 * <p>The shown part of the frame keeps its proportions; its centre is the view's. A front camera's preview is
 * mirrored, its frames are not: mirror what you draw, never what a model reads.
 */
public final class Projection {
    /** How a part with other proportions than the view's is shown. */
    public enum Scale {
        /** The part covers the view and is cut off at two sides. */
        FILL,

        /** The part is wholly inside the view, which stays empty at two sides. */
        FIT
    }

    /** View pixels for each pixel of the frame. */
    public final double scale;

    private final double partX;
    private final double partY;
    private final double viewX;
    private final double viewY;
    private final boolean mirrored;

    /**
     * Makes a projection.
     *
     * @param part what the view shows, in pixels of the upright frame
     * @param viewWidth the view's width in its own pixels, above 0
     * @param viewHeight the view's height, above 0
     * @param mirrored whether left and right are swapped
     * @throws IllegalArgumentException for a part or view without a size
     */
    public Projection(Box part, double viewWidth, double viewHeight, Scale scale, boolean mirrored) {
        if (!(part.width > 0 && part.height > 0 && viewWidth > 0 && viewHeight > 0)) {
            throw new IllegalArgumentException("Expected a part and a view with a size above 0, got " + part
                    + " and " + viewWidth + "x" + viewHeight + ".");
        }
        double across = viewWidth / part.width;
        double down = viewHeight / part.height;
        this.scale = scale == Scale.FILL ? Math.max(across, down) : Math.min(across, down);
        partX = part.x + part.width / 2;
        partY = part.y + part.height / 2;
        viewX = viewWidth / 2;
        viewY = viewHeight / 2;
        this.mirrored = mirrored;
    }

    /** Returns a box of the frame in pixels of the view. */
    public Box onView(Box box) {
        double fromCentre = mirrored ? partX - box.x - box.width : box.x - partX;
        return new Box(viewX + fromCentre * scale, viewY + (box.y - partY) * scale, box.width * scale,
                box.height * scale);
    }

    /** Returns a box of the view in pixels of the frame. */
    public Box onFrame(Box box) {
        double fromCentre = mirrored ? viewX - box.x - box.width : box.x - viewX;
        return new Box(partX + fromCentre / scale, partY + (box.y - viewY) / scale, box.width / scale,
                box.height / scale);
    }
}
