package com.google.mlkit.vision.face;

public class FaceDetectorOptions {
    public static final int PERFORMANCE_MODE_FAST = 1;

    public static class Builder {
        public native Builder setPerformanceMode(int mode);

        public native Builder setMinFaceSize(float share);

        public native Builder enableTracking();

        public native FaceDetectorOptions build();
    }
}
