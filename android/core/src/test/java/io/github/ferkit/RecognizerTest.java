package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.Test;

public class RecognizerTest {
    private static final Path TINY = Golden.ROOT.resolve("tests/data/tiny_fp32.tflite");

    private final Detectors.Scripted detector = new Detectors.Scripted();
    private boolean closed;

    private final Recognizer recognizer = new Recognizer(
            new FaceDetector(Detectors.card(), detector),
            new FaceClassifier(Golden.card(TINY), new Engine() {
                @Override
                public void run(ByteBuffer input, ByteBuffer output) {
                    output.asFloatBuffer().put(new float[] {0, 0, 0, 1, 0, 0, 0});
                }

                @Override
                public void close() {
                    closed = true;
                }
            }, Golden.card(TINY).crop("ferkit")));

    private List<LabelledFace> label(double seconds, float x, float otherX) {
        detector.boxes = new float[] {x, 20, 50, 50, otherX, 20, 50, 50, 0, 0, 0, 0};
        detector.confidences = new float[] {0.9f, 0.8f, 0};
        return recognizer.label(new BgrFrame(new byte[3 * 320 * 256], 320, 256), seconds);
    }

    @Test
    public void facesAreLabelledAndKeepTheirIds() {
        List<LabelledFace> first = label(0, 10.5f, 200.4f);
        assertEquals("happy", first.get(0).label);
        assertEquals(new Box(11, 20, 50, 50), first.get(0).box);
        assertEquals(new Box(200, 20, 50, 50), first.get(1).box);
        List<LabelledFace> second = label(0.1, 205, 15);
        assertEquals(first.get(1).id, second.get(0).id);
        assertEquals(first.get(0).id, second.get(1).id);
    }

    @Test
    public void afterARestartEveryFaceIsNew() {
        int last = label(0, 10, 200).get(1).id;
        recognizer.restart();
        assertTrue(label(0.1, 10, 200).get(0).id > last);
    }

    @Test
    public void closingItClosesBoth() {
        recognizer.close();
        assertTrue(detector.closed);
        assertTrue(closed);
    }
}
