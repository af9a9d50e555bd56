package io.github.ferkit;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Turned and mirrored frames as numpy has them, tests/data/rotations.json. */
final class Rotations {
    private static final Map<String, Object> FIELDS =
            Golden.map(Json.parse(Golden.read(Golden.ROOT.resolve("tests/data/rotations.json"))));

    private Rotations() {}

    static Map<String, Object> upright() {
        return Golden.map(FIELDS.get("upright"));
    }

    static List<Map<String, Object>> planes() {
        return Golden.maps(FIELDS.get("planes"));
    }

    static List<Map<String, Object>> views() {
        return Golden.maps(FIELDS.get("views"));
    }

    static LumaFrame image(Map<String, Object> plane) {
        return new LumaFrame(ByteBuffer.wrap(Golden.bytes(plane, "plane")), whole(plane, "row_stride"),
                whole(plane, "pixel_stride"), whole(plane, "left"), whole(plane, "top"),
                whole(plane, "width"), whole(plane, "height"));
    }

    static List<Box> boxes(Map<String, Object> fields) {
        List<Box> boxes = new ArrayList<Box>();
        for (Object box : (List<?>) fields.get("boxes")) {
            boxes.add(box(box));
        }
        return boxes;
    }

    static Box box(Object list) {
        double[] numbers = Golden.numbers(list);
        return new Box(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    static int whole(Map<String, Object> fields, String name) {
        return (int) Golden.number(fields, name);
    }

    /** The gray pixels of a frame, row by row. */
    static byte[] gray(Frame frame) {
        byte[] gray = new byte[frame.width() * frame.height()];
        for (int i = 0; i < gray.length; i++) {
            gray[i] = (byte) frame.gray(i % frame.width(), i / frame.width());
        }
        return gray;
    }
}
