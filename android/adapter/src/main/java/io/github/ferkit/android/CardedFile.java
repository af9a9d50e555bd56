package io.github.ferkit.android;

import android.content.res.AssetManager;
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

/** The bytes of a .tflite file, and its card's text. */
final class CardedFile {
    private static final String SUFFIX = ".tflite";

    final String name;
    final byte[] bytes;
    final String json;

    private CardedFile(String name, byte[] bytes, byte[] json) {
        this.name = name;
        this.bytes = bytes;
        this.json = new String(json, StandardCharsets.UTF_8);
    }

    /**
     * Reads the one .tflite file of an assets folder, and its card. Compressed assets are read, too.
     *
     * @throws IOException where the folder has no such file or several, or no card
     */
    static CardedFile ofAssets(AssetManager assets, String folder) throws IOException {
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
        return new CardedFile(name, file, read(json));
    }

    /**
     * Reads a file and the card beside it.
     *
     * @throws IOException where one of them can't be read
     */
    static CardedFile of(File file) throws IOException {
        byte[] bytes = read(new FileInputStream(file));
        File card = new File(file.getPath() + ".json");
        if (!card.exists()) {
            throw withoutCard(file.getPath(), null);
        }
        return new CardedFile(file.getName(), bytes, read(new FileInputStream(card)));
    }

    /** Returns the file in native memory, where LiteRT reads it. */
    ByteBuffer inNativeMemory() {
        ByteBuffer copy = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        ((Buffer) copy.put(bytes)).rewind(); // as ByteBuffer's own it would be missing before Android 9
        return copy;
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
