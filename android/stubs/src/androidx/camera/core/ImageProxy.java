package androidx.camera.core;

import android.graphics.Rect;
import android.media.Image;
import java.nio.ByteBuffer;

public interface ImageProxy extends AutoCloseable {
    interface PlaneProxy {
        int getRowStride();

        int getPixelStride();

        ByteBuffer getBuffer();
    }

    int getFormat();

    int getWidth();

    int getHeight();

    Rect getCropRect();

    PlaneProxy[] getPlanes();

    ImageInfo getImageInfo();

    @ExperimentalGetImage
    Image getImage();

    @Override
    void close();
}
