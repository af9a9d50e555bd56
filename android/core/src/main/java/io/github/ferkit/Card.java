package io.github.ferkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;

/**
 * The card of a model file, version 1: {@code cnn_int8.tflite} travels with {@code cnn_int8.tflite.json}.
 *
 * <p>{@code runtime/card.schema.json} defines it. A card that the schema refuses is refused here, too.
 */
public final class Card extends FileCard {
    private static final double LEAST_SCALE = 0.1;
    private static final double MOST_CROP = 10; // sides of a box: beyond it a crop shows no face

    /** The names of the scores, in their order. */
    public final List<String> labels;

    /** How the file takes a face. */
    public final TensorFormat input;

    /** How the file gives the scores. */
    public final TensorFormat output;

    private final CardFields crops;

    private Card(String modelFile, CardFields card) {
        super(modelFile, card);
        if (card.names().contains("kind")) {
            throw card.wrong("kind", "to be left out, as in a classifier's card");
        }
        labels = labels(card);
        CardFields faces = card.object("input");
        input = format(faces, Arrays.<Object>asList(48.0, 48.0, 1.0), "48, 48, 1");
        output = format(card.object("output"), Arrays.<Object>asList((double) labels.size()),
                String.valueOf(labels.size()));
        crops = faces.object("crop");
        rule(crops.object("yunet"));
        rule(crops.object("haar"));
        crop("ferkit"); // older cards have none
    }

    /**
     * Reads and checks a card.
     *
     * @param modelFile the name of the model file beside it, such as "cnn_int8.tflite"
     * @param json the card's text
     * @throws CardException naming the card and the field
     */
    public static Card read(String modelFile, String json) {
        return new Card(modelFile, parse(modelFile, json));
    }

    /** Checks a card that was parsed. */
    static Card of(String modelFile, Object json) {
        return new Card(modelFile, CardFields.of(modelFile + ".json", json));
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

    /**
     * Returns the rule from a detector's box to the face.
     *
     * @param detector its name in the card: "yunet", "haar", or "ferkit" for {@link FaceDetector}. Where a card
     *     has no rule for that one, it is YuNet's, whose boxes it imitates.
     * @throws CardException where the card has no rule for it, or one that can't be
     */
    public CropRule crop(String detector) {
        String known = detector.equals("ferkit") && !crops.names().contains(detector) ? "yunet" : detector;
        if (!crops.names().contains(known)) {
            throw new CardException(name + ": expected a crop rule for a detector of " + crops.names()
                    + ", got " + detector + ".");
        }
        return rule(crops.object(known));
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
}
