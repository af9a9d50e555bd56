package io.github.ferkit;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the faces of frames with this kit's own detector, as the Python runtime does, but for long frames: it
 * searches them as a whole.
 *
 * <p>It serves one thread, and closes its engine.
 */
public final class FaceDetector implements AutoCloseable {
    private static final TensorFormat FLOATS = TensorFormat.float32();

    private final DetectorCard card;
    private final DetectorEngine engine;
    private final ByteBuffer input;
    private final Map<String, ByteBuffer> outputs = new HashMap<String, ByteBuffer>();

    /**
     * Makes a detector.
     *
     * @param engine runs the file that the card describes
     */
    public FaceDetector(DetectorCard card, DetectorEngine engine) {
        this.card = card;
        this.engine = engine;
        input = FLOATS.buffer(card.input.numbers());
        for (NamedTensor output : card.outputs) {
            outputs.put(output.name, FLOATS.buffer(output.numbers()));
        }
    }

    /**
     * Returns the faces of a frame, the surest first.
     *
     * @param frame upright; every pixel is read once
     */
    public List<Detection> detect(Frame frame) {
        Letterbox fitted = new Letterbox(frame, card.width, card.height);
        FLOATS.write(fitted.pixels, input);
        for (ByteBuffer output : outputs.values()) {
            ((Buffer) output).rewind(); // as ByteBuffer's own it would be missing before Android 9
        }
        engine.run(input, outputs);
        float[] boxes = numbers(card.boxes);
        float[] confidences = numbers(card.confidences);
        List<Detection> faces = new ArrayList<Detection>();
        for (int index : Suppression.kept(boxes, confidences, card.threshold, card.overlap)) {
            Box box = fitted.onFrame(boxes[4 * index], boxes[4 * index + 1], boxes[4 * index + 2],
                    boxes[4 * index + 3]);
            faces.add(new Detection(box, confidences[index]));
        }
        return faces;
    }

    @Override
    public void close() {
        engine.close();
    }

    private float[] numbers(NamedTensor output) {
        return FLOATS.scores(outputs.get(output.name), output.numbers());
    }
}
