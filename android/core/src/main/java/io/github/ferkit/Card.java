package io.github.ferkit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The card of a model file, version 1: {@code cnn_int8.tflite} travels with {@code cnn_int8.tflite.json}.
 *
 * <p>{@code runtime/card.schema.json} defines it. A card that the schema refuses is refused here, too.
 */
public final class Card {
    private static final Double VERSION = 1.0;
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final double LEAST_SCALE = 0.1;
    private static final double MOST_CROP = 10; // sides of a box: beyond it a crop shows no face

    /** The model's name, such as "cnn". */
    public final String model;

    /** How the weights are stored: fp32, fp16, dynamic, int8 ... */
    public final String precision;

    /** The names of the scores, in their order. */
    public final List<String> labels;

    /** How the file takes a face. */
    public final TensorFormat input;

    /** How the file gives the scores. */
    public final TensorFormat output;

    /** The largest difference that was measured between a probability of this file and of its weights. */
    public final double largestGap;

    private final String name;
    private final double bytes;
    private final String sha256;
    private final CardFields crops;

    private Card(String modelFile, CardFields card) {
        name = modelFile + ".json";
        checkIdentity(modelFile, card);
        model = card.text("model");
        precision = card.text("precision");
        card.text("description");
        card.text("licence");
        card.object("versions");
        card.checkObjectOrNull("accuracy");
        bytes = card.wholeNumber("bytes");
        sha256 = card.text("sha256");
        if (!SHA256.matcher(sha256).matches()) {
            throw card.wrong("sha256", "as 64 hexadecimal digits");
        }
        labels = labels(card);
        CardFields faces = card.object("input");
        if (!Arrays.asList(0.0, 255.0).equals(faces.get("range"))) {
            throw faces.wrong("range", "[0, 255] (gray pixels)");
        }
        input = format(faces, Arrays.<Object>asList(48.0, 48.0, 1.0), "48, 48, 1");
        output = format(card.object("output"), Arrays.<Object>asList((double) labels.size()),
                String.valueOf(labels.size()));
        crops = faces.object("crop");
        rule(crops.object("yunet"));
        rule(crops.object("haar"));
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

    /**
     * Reads and checks a card.
     *
     * @param modelFile the name of the model file beside it, such as "cnn_int8.tflite"
     * @param json the card's text
     * @throws CardException naming the card and the field
     */
    public static Card read(String modelFile, String json) {
        Object card;
        try {
            card = Json.parse(json);
        } catch (IllegalArgumentException error) {
            throw new CardException(modelFile + ".json: expected JSON: " + error.getMessage() + ". "
                    + "Export the model again, or copy its card again.");
        }
        return of(modelFile, card);
    }

    /** Checks a card that was parsed. */
    static Card of(String modelFile, Object json) {
        return new Card(modelFile, CardFields.of(modelFile + ".json", json));
    }

    /**
     * Checks that a model file is the one that this card describes, byte for byte.
     *
     * @throws CardException where size or sha256 differ
     */
    public void check(byte[] modelBytes) {
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

    /**
     * Checks that an opened model takes and gives what this card says, one face at a time.
     *
     * @param inputShape the input's shape as the engine reports it
     * @param outputShape the output's
     * @throws CardException where a shape, a type or a quantization differs
     */
    public void check(int[] inputShape, TensorFormat input, int[] outputShape, TensorFormat output) {
        int[] face = {1, FaceCrop.SIDE, FaceCrop.SIDE, 1};
        check("input", tensor(face, this.input), tensor(inputShape, input));
        check("output", tensor(new int[] {1, labels.size()}, this.output), tensor(outputShape, output));
    }

    private void check(String where, String expected, String got) {
        if (!got.equals(expected)) {
            throw new CardException(name + ": expected the model's " + where + " to be " + expected
                    + ", got " + got + ". The file was changed after its card was written: export it again.");
        }
    }

    private static String tensor(int[] shape, TensorFormat format) {
        return format + " " + Arrays.toString(shape);
    }

    /**
     * Returns the rule from a detector's box to the face.
     *
     * @param detector its name in the card, such as "yunet"
     * @throws CardException where the card has no rule for it, or one that can't be
     */
    public CropRule crop(String detector) {
        if (!crops.names().contains(detector)) {
            throw new CardException(name + ": expected a crop rule for a detector of " + crops.names()
                    + ", got " + detector + ".");
        }
        return rule(crops.object(detector));
    }

    private static CropRule rule(CardFields rule) {
        return new CropRule(
                rule.number("scale", LEAST_SCALE, MOST_CROP),
                rule.number("shift_x", -MOST_CROP, MOST_CROP),
                rule.number("shift_y", -MOST_CROP, MOST_CROP));
    }

    private static List<String> labels(CardFields card) {
        List<?> values = card.list("labels");
        List<String> names = new ArrayList<String>();
        for (Object value : values) {
            if (value instanceof String && isPrintable((String) value)) {
                names.add((String) value);
            }
        }
        int different = new HashSet<String>(names).size();
        if (names.isEmpty() || different < values.size()) {
            throw card.wrong("labels", "as a list of different names");
        }
        return Collections.unmodifiableList(names);
    }

    /** Whether a text has something to show, and nothing but letters, signs and the space. */
    private static boolean isPrintable(String text) {
        boolean isBlank = true;
        for (int place = 0; place < text.length(); place += Character.charCount(text.codePointAt(place))) {
            int letter = text.codePointAt(place);
            switch (Character.getType(letter)) {
                case Character.CONTROL:
                case Character.FORMAT:
                case Character.SURROGATE:
                case Character.PRIVATE_USE:
                case Character.LINE_SEPARATOR:
                case Character.PARAGRAPH_SEPARATOR:
                    return false;
                case Character.SPACE_SEPARATOR:
                    if (letter != ' ') {
                        return false;
                    }
                    break;
                default:
                    isBlank = false;
            }
        }
        return !isBlank;
    }

    /** Returns the format of a tensor of one or any number of faces, whose shape ends in {@code tail}. */
    private static TensorFormat format(CardFields tensor, List<Object> tail, String shownTail) {
        tensor.text("name");
        List<?> shape = tensor.list("shape");
        boolean isBatch = !shape.isEmpty() && (shape.get(0) == null || shape.get(0).equals(1.0));
        if (!isBatch || !shape.subList(1, shape.size()).equals(tail)) {
            throw tensor.wrong("shape", "[1, " + shownTail + "] or [null, " + shownTail + "]");
        }
        String dtype = tensor.text("dtype");
        if (dtype.equals("float32")) {
            tensor.checkNull("quantization");
            return TensorFormat.float32();
        }
        if (!dtype.equals("int8") && !dtype.equals("uint8")) {
            throw tensor.wrong("dtype", "float32, int8 or uint8");
        }
        CardFields quantization = tensor.object("quantization");
        double scale = quantization.number("scale");
        double zeroPoint = quantization.wholeNumber("zero_point");
        if (!(scale > 0)) {
            throw quantization.wrong("scale", "above 0");
        }
        TensorFormat.Type type = dtype.equals("int8") ? TensorFormat.Type.INT8 : TensorFormat.Type.UINT8;
        return TensorFormat.quantized(type, (float) scale, (int) zeroPoint);
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
