package com.google.mlkit.vision.common;

import android.media.Image;

public class InputImage {
    public static native InputImage fromMediaImage(Image image, int rotationDegrees);
}
