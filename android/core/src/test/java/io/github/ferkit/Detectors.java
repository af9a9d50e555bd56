package io.github.ferkit;

import java.nio.ByteBuffer;
import java.util.Map;

/** A card, and an engine that finds what it is told to, for the tests of what comes after it. */
final class Detectors {
    static final int CANDIDATES = 3;
    static final String JSON = "{\"card_version\": 1, \"kind\": \"detector\", \"file\": \"d.tflite\", "
            + "\"model\": \"detector\", \"precision\": \"fp32\", \"description\": \"\", \"licence\": \"MIT\", "
            + "\"sha256\": \"" + new String(new char[64]).replace('\0', '0') + "\", \"bytes\": 1, "
            + "\"input\": {\"name\": \"pixels\", \"shape\": [1, 256, 320, 1], \"dtype\": \"float32\", "
            + "\"range\": [0, 255], \"letterbox\": {\"corner\": \"upper left\", \"fill\": 0}}, "
            + "\"outputs\": {\"boxes\": {\"name\": \"b\", \"shape\": [1, 3, 4], \"dtype\": \"float32\"}, "
            + "\"confidences\": {\"name\": \"c\", \"shape\": [1, 3], \"dtype\": \"float32\"}, "
            + "\"eyes\": {\"name\": \"e\", \"shape\": [1, 3, 4], \"dtype\": \"float32\"}}, "
            + "\"threshold\": 0.5, \"overlap\": 0.4, \"versions\": {}, "
            + "\"parity\": {\"largest_gap\": 0.1}}";

    private Detectors() {}

    static DetectorCard card() {
        return DetectorCard.read("d.tflite", JSON);
    }

    /** Finds the same boxes in every frame. */
    static final class Scripted implements DetectorEngine {
        float[] boxes = new float[4 * CANDIDATES];
        float[] confidences = new float[CANDIDATES];
        float[] pixels;
        boolean closed;

        @Override
        public void run(ByteBuffer input, Map<String, ByteBuffer> outputs) {
            pixels = new float[input.remaining() / 4];
            input.asFloatBuffer().get(pixels);
            outputs.get("b").asFloatBuffer().put(boxes);
            outputs.get("c").asFloatBuffer().put(confidences);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
