package com.google.mlkit.vision.face;

import android.graphics.Rect;

public class Face {
    public native Rect getBoundingBox();

    public native Integer getTrackingId();
}
