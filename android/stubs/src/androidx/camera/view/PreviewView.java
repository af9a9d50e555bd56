package androidx.camera.view;

import android.content.Context;
import android.util.AttributeSet;
import android.widget.FrameLayout;
import androidx.camera.core.Preview;
import androidx.camera.core.ViewPort;

public final class PreviewView extends FrameLayout {
    public PreviewView(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    public native Preview.SurfaceProvider getSurfaceProvider();

    public native ViewPort getViewPort();
}
