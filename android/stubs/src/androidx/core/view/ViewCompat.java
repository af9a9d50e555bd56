package androidx.core.view;

import android.view.View;

public class ViewCompat {
    public static native void setOnApplyWindowInsetsListener(
            View view, OnApplyWindowInsetsListener listener);
}
