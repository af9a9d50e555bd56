package io.github.ferkit;

import java.nio.ByteBuffer;

/**
 * A frame over the luma of a camera's image: plane Y of Android's YUV_420_888, in place.
 *
 * <p>A camera's luma is BT.601 from 0 to 255, as in a JPEG file: within one level of what {@link Luma} makes
 * of the same pixel's colour. Colour itself, the planes U and V, is not read. A decoded video's luma goes
 * from 16 to 235 and must not be taken for it.
 */
public final class LumaFrame implements Frame {
    private final ByteBuffer luma;
    private final int rowStride;
    private final int pixelStride;
    private final int first;
    private final int width;
    private final int height;

    /**
     * Wraps a part of a plane; nothing is copied, so the buffer must stay valid while the frame is used.
     *
     * @param luma the plane, from its position on; the position is not changed
     * @param rowStride bytes from a row to the next; it may be more than a row's pixels take
     * @param pixelStride bytes from a pixel to the next
     * @param left the part's first column in the plane
     * @param top the part's first row in the plane
     * @param width the part's width in pixels
     * @param height the part's height in pixels
     * @throws IllegalArgumentException for a part without a pixel, or one that the plane does not hold
     */
    public LumaFrame(ByteBuffer luma, int rowStride, int pixelStride, int left, int top, int width,
            int height) {
        // Cameras leave out the padding after the last row's last pixel: it is not asked for.
        long needed = (top - 1L + height) * rowStride + (left - 1L + width) * pixelStride + 1;
        boolean isPart = left >= 0 && top >= 0 && width >= 1 && height >= 1 && pixelStride >= 1
                && (left - 1L + width) * pixelStride < rowStride;
        if (!isPart || needed > luma.remaining()) {
            throw new IllegalArgumentException("Expected a plane that holds " + width + "x" + height
                    + " pixels from column " + left + " and row " + top + " on, got " + luma.remaining()
                    + " bytes with a row stride of " + rowStride + " and a pixel stride of " + pixelStride
                    + ".");
        }
        this.luma = luma;
        this.rowStride = rowStride;
        this.pixelStride = pixelStride;
        this.first = luma.position() + top * rowStride + left * pixelStride;
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
        return luma.get(first + y * rowStride + x * pixelStride) & 255;
    }
}
