package io.github.ferkit.android;

import android.graphics.ImageFormat;
import android.graphics.Rect;
import androidx.camera.core.ImageProxy;
import io.github.ferkit.Box;
import io.github.ferkit.Frame;
import io.github.ferkit.LumaFrame;
import io.github.ferkit.Rotation;

/**
 * Frames of CameraX images, upright and not mirrored. Nothing is copied: use a frame before you close its
 * image.
 *
 * <p>A front camera's preview is mirrored, its frames are not; {@link io.github.ferkit.Projection} maps them.
 */
public final class CameraFrames {
    private CameraFrames() {}

    /**
     * Returns the whole image upright: the frame in which ML Kit's boxes are.
     *
     * @throws IllegalArgumentException for another format than YUV_420_888
     */
    public static Frame upright(ImageProxy image) {
        return upright(image, new Rect(0, 0, image.getWidth(), image.getHeight()));
    }

    /**
     * Returns the image's crop rectangle upright: what a preview of the same viewport shows.
     *
     * @throws IllegalArgumentException for another format than YUV_420_888
     */
    public static Frame uprightCrop(ImageProxy image) {
        return upright(image, image.getCropRect());
    }

    /** Returns where the crop rectangle lies in the upright image. */
    public static Box crop(ImageProxy image) {
        Rect crop = image.getCropRect();
        Box box = new Box(crop.left, crop.top, crop.width(), crop.height());
        return rotation(image).of(box, image.getWidth(), image.getHeight());
    }

    /** Returns the image's time in seconds by the camera's own clock. */
    public static double seconds(ImageProxy image) {
        return image.getImageInfo().getTimestamp() / 1e9;
    }

    private static Frame upright(ImageProxy image, Rect part) {
        if (image.getFormat() != ImageFormat.YUV_420_888) {
            throw new IllegalArgumentException("Expected an image of format YUV_420_888 ("
                    + ImageFormat.YUV_420_888 + "), got " + image.getFormat()
                    + ". Leave ImageAnalysis at its default output format.");
        }
        ImageProxy.PlaneProxy luma = image.getPlanes()[0];
        return rotation(image).of(new LumaFrame(luma.getBuffer(), luma.getRowStride(),
                luma.getPixelStride(), part.left, part.top, part.width(), part.height()));
    }

    private static Rotation rotation(ImageProxy image) {
        return Rotation.of(image.getImageInfo().getRotationDegrees());
    }
}
