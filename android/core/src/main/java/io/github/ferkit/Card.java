package io.github.ferkit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The card of a model file, version 1: {@code cnn_int8.tflite} travels with {@code cnn_int8.tflite.json}. */
public final class Card {
    private static final double VERSION = 1;

    /** The model's name, such as "cnn". */
    public final String model;

    /** What the file's weights are kept as: fp32, fp16, dynamic, int8 ... */
    public final String precision;

    /** The names of the scores, in their order. */
    public final List<String> labels;

    /** How a face is handed over. */
    public final TensorFormat input;

    /** How the scores come back. */
    public final TensorFormat output;

    /** The largest gap that was measured between a probability of this file and of its original. */
    public final double largestGap;

    private final String name;
    private final double bytes;
    private final String sha256;
    private final Map<String, CropRule> crops;

    private Card(String modelFile, Map<String, Object> fields) {
        name = modelFile + ".json";
        Object version = fields.get("card_version");
        if (!Double.valueOf(VERSION).equals(version)) {
            throw new CardException(name + ": expected card_version 1, got "
                    + (version == null ? "none" : version)
                    + ". Export the model again with this release, or install the release that wrote the "
                    + "card.");
        }
        String file = field(fields, "file", "", String.class);
        if (!file.equals(modelFile)) {
            throw new CardException(name + ": expected file " + modelFile + ", got " + file + ". Rename the "
                    + "model file and its card back, or copy the card that belongs to the file.");
        }
        model = field(fields, "model", "", String.class);
        precision = field(fields, "precision", "", String.class);
        bytes = field(fields, "bytes", "", Double.class);
        sha256 = field(fields, "sha256", "", String.class);
        labels = labels(field(fields, "labels", "", List.class));
        Map<String, Object> inputFields = object(fields, "input", "");
        List<Double> range = Arrays.asList(0.0, 255.0);
        if (!range.equals(inputFields.get("range"))) {
            throw new CardException(name + ": expected input.range [0, 255] (gray pixels), got "
                    + inputFields.get("range") + ".");
        }
        input = format(inputFields, "input.", Arrays.<Object>asList(48.0, 48.0, 1.0));
        List<Object> scores = Arrays.<Object>asList((double) labels.size());
        output = format(object(fields, "output", ""), "output.", scores);
        crops = crops(object(inputFields, "crop", "input."));
        largestGap = field(object(fields, "parity", ""), "largest_gap", "parity.", Double.class);
    }

    /**
     * Reads and checks a card.
     *
     * @param modelFile the name of the model file beside which it lay, such as "cnn_int8.tflite"
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
        if (!(card instanceof Map)) {
            throw new CardException(modelFile + ".json: expected an object, got " + kind(card) + ".");
        }
        return new Card(modelFile, Card.<Map<String, Object>>cast(card));
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
     * @throws CardException where the card has no rule for it
     */
    public CropRule crop(String detector) {
        CropRule rule = crops.get(detector);
        if (rule == null) {
            throw new CardException(name + ": expected a crop rule for a detector of " + crops.keySet()
                    + ", got " + detector + ".");
        }
        return rule;
    }

    private List<String> labels(List<?> values) {
        List<String> names = new ArrayList<String>();
        for (Object value : values) {
            if (value instanceof String) {
                names.add((String) value);
            }
        }
        int different = new HashSet<String>(names).size();
        if (names.isEmpty() || different < values.size()) {
            throw new CardException(
                    name + ": expected labels as a list of different names, got " + values + ".");
        }
        return Collections.unmodifiableList(names);
    }

    /** The format of a tensor of one face, or of any number of them, whose shape ends in {@code tail}. */
    private TensorFormat format(Map<String, Object> tensor, String where, List<Object> tail) {
        List<?> shape = field(tensor, "shape", where, List.class);
        boolean isBatch = !shape.isEmpty() && (shape.get(0) == null || shape.get(0).equals(1.0));
        if (!isBatch || !shape.subList(1, shape.size()).equals(tail)) {
            throw new CardException(name + ": expected " + where + "shape of 1 or null, then " + tail
                    + ", got " + shape + ".");
        }
        String dtype = field(tensor, "dtype", where, String.class);
        if (dtype.equals("float32")) {
            return TensorFormat.float32();
        }
        if (!dtype.equals("int8") && !dtype.equals("uint8")) {
            throw new CardException(
                    name + ": expected " + where + "dtype float32, int8 or uint8, got " + dtype + ".");
        }
        Map<String, Object> quantization = object(tensor, "quantization", where);
        double scale = field(quantization, "scale", where + "quantization.", Double.class);
        double zeroPoint = field(quantization, "zero_point", where + "quantization.", Double.class);
        if (!(scale > 0)) {
            throw new CardException(
                    name + ": expected " + where + "quantization.scale above 0, got " + scale + ".");
        }
        TensorFormat.Type type = dtype.equals("int8") ? TensorFormat.Type.INT8 : TensorFormat.Type.UINT8;
        return TensorFormat.quantized(type, (float) scale, (int) zeroPoint);
    }

    private Map<String, CropRule> crops(Map<String, Object> fields) {
        Map<String, CropRule> rules = new LinkedHashMap<String, CropRule>();
        for (String detector : fields.keySet()) {
            Map<String, Object> rule = object(fields, detector, "input.crop.");
            String where = "input.crop." + detector + ".";
            rules.put(detector, new CropRule(
                    field(rule, "scale", where, Double.class),
                    field(rule, "shift_x", where, Double.class),
                    field(rule, "shift_y", where, Double.class)));
        }
        return rules;
    }

    private Map<String, Object> object(Map<String, Object> fields, String field, String where) {
        return cast(field(fields, field, where, Map.class));
    }

    private <T> T field(Map<String, Object> fields, String field, String where, Class<T> type) {
        Object value = fields.get(field);
        if (!fields.containsKey(field)) {
            throw new CardException(name + ": expected the field " + where + field + ", got none. "
                    + "Export the model again.");
        }
        if (!type.isInstance(value)) {
            throw new CardException(name + ": expected " + where + field + " to be " + kind(type) + ", got "
                    + kind(value) + ".");
        }
        return type.cast(value);
    }

    private static String kind(Object value) {
        return value == null ? "null" : kind(value.getClass());
    }

    private static String kind(Class<?> type) {
        return Map.class.isAssignableFrom(type) ? "an object"
                : List.class.isAssignableFrom(type) ? "a list"
                : type == String.class ? "text"
                : type == Double.class ? "a number" : "true or false";
    }

    /** What {@link Json} calls a Map has text as keys, always. */
    @SuppressWarnings("unchecked")
    private static <T> T cast(Object value) {
        return (T) value;
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
