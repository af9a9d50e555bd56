package io.github.ferkit.android;

import android.content.res.AssetManager;
import io.github.ferkit.CardException;
import io.github.ferkit.DetectorCard;
import io.github.ferkit.FaceDetector;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A face detector's file, byte for byte the one that its card describes. */
public final class DetectorFile {
    /** The file's name, such as "detector_int8.tflite". */
    public final String name;

    /** What it takes and gives. */
    public final DetectorCard card;

    /** The file in native memory, where LiteRT reads it. */
    final ByteBuffer bytes;

    private DetectorFile(CardedFile file) {
        name = file.name;
        card = DetectorCard.read(name, file.json);
        card.check(file.bytes);
        bytes = file.inNativeMemory();
    }

    /**
     * Reads the detector of an assets folder; the library's own is in "ferkit/detectors".
     *
     * @param folder holds one .tflite file, and its card
     * @throws IOException where the folder has no detector or several, or no card
     * @throws CardException where file and card do not belong together
     */
    public static DetectorFile ofAssets(AssetManager assets, String folder) throws IOException {
        return new DetectorFile(CardedFile.ofAssets(assets, folder));
    }

    /**
     * Reads a detector's file and the card beside it.
     *
     * @throws IOException where one of them can't be read
     * @throws CardException where file and card do not belong together
     */
    public static DetectorFile of(File file) throws IOException {
        return new DetectorFile(CardedFile.of(file));
    }

    /**
     * Opens the detector with LiteRT.
     *
     * @param threads of LiteRT, 1 or more
     */
    public FaceDetector detector(int threads) {
        return new FaceDetector(card, new LiteRtDetectorEngine(this, threads));
    }
}
