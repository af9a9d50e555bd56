package io.github.ferkit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.regex.Pattern;

/** What the card of every model file says: which file it describes, byte for byte. */
public abstract class FileCard {
    private static final Double VERSION = 1.0;
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /** The model's name, such as "cnn". */
    public final String model;

    /** How the weights are stored: fp32, fp16, dynamic, int8 ... */
    public final String precision;

    /** The largest difference that was measured between a probability of this file and of its weights. */
    public final double largestGap;

    /** The card's file, for messages. */
    final String name;

    private final double bytes;
    private final String sha256;

    FileCard(String modelFile, CardFields card) {
        name = modelFile + ".json";
        checkIdentity(modelFile, card);
        model = card.text("model");
        precision = card.text("precision");
        card.text("description");
        card.text("licence");
        card.checkTextOrNull("page");
        card.object("versions");
        card.checkObjectOrNull("accuracy");
        bytes = card.wholeNumber("bytes");
        sha256 = card.text("sha256");
        if (!SHA256.matcher(sha256).matches()) {
            throw card.wrong("sha256", "as 64 hexadecimal digits");
        }
        if (!Arrays.asList(0.0, 255.0).equals(card.object("input").get("range"))) {
            throw card.object("input").wrong("range", "[0, 255] (gray pixels)");
        }
        largestGap = card.object("parity").number("largest_gap");
    }

    private void checkIdentity(String modelFile, CardFields card) {
        Object version = card.get("card_version");
        if (!VERSION.equals(version)) {
            throw new CardException(name + ": expected card_version 1, got "
                    + (version == null ? "none" : CardFields.shown(version))
                    + ". Export the model again with this release, or install the release that wrote the "
                    + "card.");
        }
        String file = card.text("file");
        if (!file.equals(modelFile)) {
            throw new CardException(name + ": expected file " + modelFile + ", got " + file + ". Rename the "
                    + "model file and its card back, or copy the card that belongs to the file.");
        }
    }

    /** Returns the fields of a card that is read from its text. */
    static CardFields parse(String modelFile, String json) {
        Object card;
        try {
            card = Json.parse(json);
        } catch (IllegalArgumentException error) {
            throw new CardException(modelFile + ".json: expected JSON: " + error.getMessage() + ". "
                    + "Export the model again, or copy its card again.");
        }
        return CardFields.of(modelFile + ".json", card);
    }

    /**
     * Checks that a model file is the one that this card describes, byte for byte.
     *
     * @throws CardException where size or sha256 differ
     */
    public final void check(byte[] modelBytes) {
        String expected = (long) bytes + " bytes";
        String got = modelBytes.length + " bytes";
        if (modelBytes.length == bytes) {
            expected = "sha256 " + sha256;
            got = "sha256 " + sha256Of(modelBytes);
        }
        if (!got.equals(expected)) {
            throw new CardException(name + ": expected the file that the card describes (" + expected
                    + "), got " + got + ". The file is incomplete, or the card belongs to another: copy both "
                    + "again.");
        }
    }

    /** Checks a tensor of the opened model. */
    final void check(String where, String expected, String got) {
        if (!got.equals(expected)) {
            throw new CardException(name + ": expected the model's " + where + " to be " + expected
                    + ", got " + got + ". The file was changed after its card was written: export it again.");
        }
    }

    static String tensor(int[] shape, TensorFormat format) {
        return format + " " + Arrays.toString(shape);
    }

    private static String sha256Of(byte[] data) {
        byte[] digest;
        try {
            digest = MessageDigest.getInstance("SHA-256").digest(data);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("Every Java has SHA-256.", error);
        }
        StringBuilder digits = new StringBuilder();
        for (byte part : digest) {
            digits.append(Character.forDigit(part >> 4 & 15, 16)).append(Character.forDigit(part & 15, 16));
        }
        return digits.toString();
    }
}
