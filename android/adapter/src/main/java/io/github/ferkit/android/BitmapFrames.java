package io.github.ferkit.android;

import android.graphics.Bitmap;
import io.github.ferkit.ArgbFrame;
import io.github.ferkit.Frame;

/** Frames of bitmaps. */
public final class BitmapFrames {
    private BitmapFrames() {}

    /**
     * Returns a bitmap's pixels, copied; transparency is ignored.
     *
     * @throws IllegalArgumentException for a bitmap that was recycled, or that can't be read
     */
    public static Frame of(Bitmap bitmap) {
        // Pixels of a bitmap in the graphics card's memory can't be read: Android copies it.
        boolean isReadable = bitmap.getConfig() == Bitmap.Config.ARGB_8888;
        Bitmap readable = isReadable ? bitmap : bitmap.copy(Bitmap.Config.ARGB_8888, false);
        if (bitmap.isRecycled() || readable == null) {
            throw new IllegalArgumentException("Expected a bitmap whose pixels can be read, got "
                    + (bitmap.isRecycled() ? "a recycled one." : "one of " + bitmap.getConfig() + "."));
        }
        int width = readable.getWidth();
        int height = readable.getHeight();
        int[] pixels = new int[width * height];
        readable.getPixels(pixels, 0, width, 0, 0, width, height);
        if (!isReadable) {
            readable.recycle();
        }
        return new ArgbFrame(pixels, width, height);
    }
}
