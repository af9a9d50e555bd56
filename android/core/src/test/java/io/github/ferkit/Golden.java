package io.github.ferkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** The golden vectors, runtime/golden.json, as the Python runtime computed them. */
final class Golden {
    /** The top of the checkout. */
    static final Path ROOT = Paths.get(System.getProperty("ferkit.root", "."));

    private static final Map<String, Object> FIELDS =
            map(Json.parse(read(ROOT.resolve("runtime/golden.json"))));

    private Golden() {}

    static List<Map<String, Object>> crops() {
        return maps(FIELDS.get("crops"));
    }

    /** The entries of the .tflite files. */
    static List<Map<String, Object>> models() {
        List<Map<String, Object>> models = new ArrayList<Map<String, Object>>();
        for (Map<String, Object> model : maps(FIELDS.get("models"))) {
            if (text(model, "file").endsWith(".tflite")) {
                models.add(model);
            }
        }
        return models;
    }

    static Map<String, Object> sweep() {
        return map(FIELDS.get("sweep"));
    }

    static List<Map<String, Object>> letterboxes() {
        return maps(FIELDS.get("letterboxes"));
    }

    static Map<String, Object> letterboxSweep() {
        return map(FIELDS.get("letterbox_sweep"));
    }

    static List<Map<String, Object>> suppressions() {
        return maps(FIELDS.get("suppressions"));
    }

    static Map<String, Object> smoothing() {
        return map(FIELDS.get("smoothing"));
    }

    static BgrFrame frame(String name) {
        for (Map<String, Object> frame : maps(FIELDS.get("frames"))) {
            if (text(frame, "name").equals(name)) {
                int width = (int) number(frame, "width");
                return new BgrFrame(bytes(frame, "bgr"), width, (int) number(frame, "height"));
            }
        }
        throw new AssertionError("no frame " + name);
    }

    /** The square of a crop's box, by this library. */
    static Square square(Map<String, Object> crop) {
        double[] box = numbers(crop.get("box"));
        CropRule rule =
                new CropRule(number(crop, "scale"), number(crop, "shift_x"), number(crop, "shift_y"));
        return Square.of(box[0], box[1], box[2], box[3], rule);
    }

    static Card card(Path model) {
        String name = model.getFileName().toString();
        return Card.read(name, read(model.resolveSibling(name + ".json")));
    }

    static String text(Map<String, Object> fields, String name) {
        return (String) fields.get(name);
    }

    static double number(Map<String, Object> fields, String name) {
        return (Double) fields.get(name);
    }

    static byte[] bytes(Map<String, Object> fields, String name) {
        return Base64.getDecoder().decode(text(fields, name));
    }

    static double[] numbers(Object list) {
        List<?> values = (List<?>) list;
        double[] numbers = new double[values.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (Double) values.get(i);
        }
        return numbers;
    }

    static float[] floats(Object list) {
        double[] numbers = numbers(list);
        float[] floats = new float[numbers.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) numbers[i];
        }
        return floats;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> maps(Object value) {
        return (List<Map<String, Object>>) value;
    }

    static String read(Path path) {
        try {
            return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        } catch (IOException error) {
            throw new AssertionError(path + ": can't be read", error);
        }
    }
}
