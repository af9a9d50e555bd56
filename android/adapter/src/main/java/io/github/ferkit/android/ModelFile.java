package io.github.ferkit.android;

import android.content.res.AssetManager;
import io.github.ferkit.Card;
import io.github.ferkit.CardException;
import io.github.ferkit.FaceClassifier;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A model file, byte for byte the one that its card describes. */
public final class ModelFile {
    private static final String SUFFIX = ".tflite";

    /** The file's name, such as "edge_int8.tflite". */
    public final String name;

    /** What it takes and gives. */
    public final Card card;

    /** The file in native memory, where LiteRT reads it. */
    final ByteBuffer bytes;

    private ModelFile(String name, byte[] file, byte[] json) {
        this.name = name;
        card = Card.read(name, new String(json, StandardCharsets.UTF_8));
        card.check(file);
        bytes = ByteBuffer.allocateDirect(file.length).order(ByteOrder.nativeOrder());
        ((Buffer) bytes.put(file)).rewind(); // as ByteBuffer's own it would be missing before Android 9
    }

    /**
     * Reads the model of an assets folder; the library's own is in "ferkit". Compressed assets are read, too.
     *
     * @param folder holds one .tflite file, and its card
     * @throws IOException where the folder has no model or several, or no card
     * @throws CardException where file and card do not belong together
     */
    public static ModelFile ofAssets(AssetManager assets, String folder) throws IOException {
        List<String> names = new ArrayList<String>();
        for (String name : assets.list(folder)) {
            if (name.endsWith(SUFFIX)) {
                names.add(name);
            }
        }
        if (names.size() != 1) {
            throw new IOException("assets/" + folder + ": expected one " + SUFFIX + " file, got "
                    + (names.isEmpty() ? "none" : names) + ".");
        }
        String name = names.get(0);
        byte[] file = read(assets.open(folder + "/" + name));
        InputStream json;
        try {
            json = assets.open(folder + "/" + name + ".json");
        } catch (IOException error) {
            throw withoutCard("assets/" + folder + "/" + name, error);
        }
        return new ModelFile(name, file, read(json));
    }

    /**
     * Reads a model file and the card beside it.
     *
     * @throws IOException where one of them can't be read
     * @throws CardException where file and card do not belong together
     */
    public static ModelFile of(File file) throws IOException {
        byte[] bytes = read(new FileInputStream(file));
        File card = new File(file.getPath() + ".json");
        if (!card.exists()) {
            throw withoutCard(file.getPath(), null);
        }
        return new ModelFile(file.getName(), bytes, read(new FileInputStream(card)));
    }

    /**
     * Opens the model with LiteRT and cuts faces as the card says for a detector.
     *
     * @param detector a name of the card's crop rules: "yunet" or "haar"
     * @param threads of LiteRT, 1 or more
     */
    public FaceClassifier classifier(String detector, int threads) {
        return new FaceClassifier(card, new LiteRtEngine(this, threads), card.crop(detector));
    }

    private static IOException withoutCard(String path, IOException cause) {
        return new IOException(path + ": expected the card " + path + ".json beside it, got none. A model "
                + "file and its card are made together: copy both.", cause);
    }

    private static byte[] read(InputStream stream) throws IOException {
        try (InputStream input = stream) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            byte[] part = new byte[1 << 16];
            for (int count = input.read(part); count >= 0; count = input.read(part)) {
                bytes.write(part, 0, count);
            }
            return bytes.toByteArray();
        }
    }
}
