package io.github.ferkit;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The card of a face detector's file, version 1: {@code detector_int8.tflite} travels with
 * {@code detector_int8.tflite.json}.
 *
 * <p>{@code runtime/card.schema.json} defines it. A card that the schema refuses is refused here, too.
 */
public final class DetectorCard extends FileCard {
    private static final int ANY = -1; // number, 1 or more

    /** Width of the input in pixels. */
    public final int width;

    /** Height of the input in pixels. */
    public final int height;

    /** Gray pixels 0-255: one image, rows, columns, one channel. */
    public final NamedTensor input;

    /** x, y, width, height of each candidate, in pixels of the input. */
    public final NamedTensor boxes;

    /** How sure the detector is of each candidate, 0 to 1. */
    public final NamedTensor confidences;

    /** All outputs: beside these two x, y of each candidate's eyes. */
    public final List<NamedTensor> outputs;

    /** A candidate less sure is no face. */
    public final float threshold;

    /** The largest intersection over union of two faces. */
    public final double overlap;

    private DetectorCard(String modelFile, CardFields card) {
        super(modelFile, card);
        if (!"detector".equals(card.get("kind"))) {
            throw card.wrong("kind", "\"detector\"");
        }
        CardFields image = card.object("input");
        input = tensor(image, 1, ANY, ANY, 1);
        height = input.shape()[1];
        width = input.shape()[2];
        Map<String, Object> letterbox = new HashMap<String, Object>();
        letterbox.put("corner", "upper left");
        letterbox.put("fill", 0.0);
        if (!letterbox.equals(image.get("letterbox"))) {
            throw image.wrong("letterbox", "{\"corner\": \"upper left\", \"fill\": 0}");
        }
        CardFields found = card.object("outputs");
        confidences = tensor(found.object("confidences"), 1, ANY);
        int cells = confidences.numbers();
        boxes = tensor(found.object("boxes"), 1, cells, 4);
        outputs = Collections.unmodifiableList(
                Arrays.asList(boxes, confidences, tensor(found.object("eyes"), 1, cells, 4)));
        threshold = (float) card.number("threshold", 0, 1);
        overlap = card.number("overlap", 0, 1);
    }

    /**
     * Reads and checks a card.
     *
     * @param modelFile the name of the model file beside it, such as "detector_int8.tflite"
     * @param json the card's text
     * @throws CardException naming the card and the field
     */
    public static DetectorCard read(String modelFile, String json) {
        return new DetectorCard(modelFile, parse(modelFile, json));
    }

    /** Checks a card that was parsed. */
    static DetectorCard of(String modelFile, Object json) {
        return new DetectorCard(modelFile, CardFields.of(modelFile + ".json", json));
    }

    /**
     * Checks that a tensor of the opened model is what this card says.
     *
     * @param tensor the input or an output of this card
     * @param shape its shape as the engine reports it
     * @throws CardException where its shape or type differs
     */
    public void check(NamedTensor tensor, int[] shape, TensorFormat format) {
        check(tensor.name, tensor(tensor.shape(), TensorFormat.float32()), tensor(shape, format));
    }

    /** Returns a tensor as the card has it, once its type and shape are found to be as expected. */
    private static NamedTensor tensor(CardFields tensor, int... expected) {
        List<?> given = tensor.list("shape");
        int[] shape = expected.clone();
        boolean fits = given.size() == shape.length;
        for (int i = 0; fits && i < shape.length; i++) {
            Object side = given.get(i);
            if (shape[i] == ANY && side instanceof Double && (Double) side >= 1) {
                shape[i] = ((Double) side).intValue();
            }
            fits = side instanceof Double && (Double) side == shape[i];
        }
        if (!fits) {
            throw tensor.wrong("shape", Arrays.toString(expected).replace(String.valueOf(ANY), "any number"));
        }
        if (!"float32".equals(tensor.get("dtype"))) {
            throw tensor.wrong("dtype", "float32");
        }
        tensor.checkNull("quantization");
        return new NamedTensor(tensor.text("name"), shape);
    }
}
