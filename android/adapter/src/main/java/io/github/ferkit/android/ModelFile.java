package io.github.ferkit.android;

import android.content.res.AssetManager;
import io.github.ferkit.Card;
import io.github.ferkit.CardException;
import io.github.ferkit.FaceClassifier;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A classifier's file, byte for byte the one that its card describes. */
public final class ModelFile {
    /** The file's name, such as "edge_int8.tflite". */
    public final String name;

    /** What it takes and gives. */
    public final Card card;

    /** The file in native memory, where LiteRT reads it. */
    final ByteBuffer bytes;

    private ModelFile(CardedFile file) {
        name = file.name;
        card = Card.read(name, file.json);
        card.check(file.bytes);
        bytes = file.inNativeMemory();
    }

    /**
     * Reads the model of an assets folder; the library's own is in "ferkit". Compressed assets are read, too.
     *
     * @param folder holds one .tflite file, and its card
     * @throws IOException where the folder has no model or several, or no card
     * @throws CardException where file and card do not belong together
     */
    public static ModelFile ofAssets(AssetManager assets, String folder) throws IOException {
        return new ModelFile(CardedFile.ofAssets(assets, folder));
    }

    /**
     * Reads a model file and the card beside it.
     *
     * @throws IOException where one of them can't be read
     * @throws CardException where file and card do not belong together
     */
    public static ModelFile of(File file) throws IOException {
        return new ModelFile(CardedFile.of(file));
    }

    /**
     * Opens the model with LiteRT and cuts faces as the card says for a detector.
     *
     * @param detector a name of the card's crop rules: "ferkit" for {@link DetectorFile}, "yunet" or "haar"
     * @param threads of LiteRT, 1 or more
     */
    public FaceClassifier classifier(String detector, int threads) {
        return new FaceClassifier(card, new LiteRtEngine(this, threads), card.crop(detector));
    }
}
