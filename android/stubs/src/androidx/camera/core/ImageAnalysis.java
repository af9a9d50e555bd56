package androidx.camera.core;

import androidx.camera.core.resolutionselector.ResolutionSelector;
import java.util.concurrent.Executor;

public final class ImageAnalysis extends UseCase {
    public static final int STRATEGY_KEEP_ONLY_LATEST = 0;

    public interface Analyzer {
        void analyze(ImageProxy image);
    }

    public static final class Builder {
        public native Builder setBackpressureStrategy(int strategy);

        public native Builder setResolutionSelector(ResolutionSelector selector);

        public native ImageAnalysis build();
    }

    public native void setAnalyzer(Executor executor, Analyzer analyzer);

    public native void clearAnalyzer();

    public native void setTargetRotation(int rotation);
}
