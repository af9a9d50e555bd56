package com.google.mlkit.vision.face;

public class FaceDetection {
    public static native FaceDetector getClient(FaceDetectorOptions options);
}
