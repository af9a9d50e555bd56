package androidx.camera.core;

public final class Preview extends UseCase {
    public interface SurfaceProvider {}

    public static final class Builder {
        public native Preview build();
    }

    public native void setSurfaceProvider(SurfaceProvider provider);

    public native void setTargetRotation(int rotation);
}
