package io.github.ferkit.android;

import android.content.res.AssetManager;
import io.github.ferkit.CardException;
import io.github.ferkit.FaceDetector;
import io.github.ferkit.Recognizer;
import java.io.IOException;

/** The library's own detector and model, ready to label frames. */
public final class Recognizers {
    private Recognizers() {}

    /**
     * Opens the detector and the model that the library brings.
     *
     * @param threads of LiteRT, 1 or more
     * @throws IOException where the app's assets lack a file
     * @throws CardException where a file and its card do not belong together
     * @throws EngineException where LiteRT refuses a file
     */
    public static Recognizer ofAssets(AssetManager assets, int threads) throws IOException {
        ModelFile model = ModelFile.ofAssets(assets, "ferkit");
        FaceDetector detector = DetectorFile.ofAssets(assets, "ferkit/detectors").detector(threads);
        try {
            return new Recognizer(detector, model.classifier("ferkit", threads));
        } catch (RuntimeException error) {
            detector.close();
            throw error;
        }
    }
}
