package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.Test;

public class FaceDetectorTest {
    private final Detectors.Scripted engine = new Detectors.Scripted();
    private final FaceDetector detector = new FaceDetector(Detectors.card(), engine);

    @Test
    public void boxesComeInPixelsOfTheFrameTheSurestFirst() {
        engine.boxes = new float[] {10, 20, 30, 40, 100, 20, 50, 60, 200, 0, 9, 9};
        engine.confidences = new float[] {0.5f, 0.9f, 0.4f};
        Frame frame = new BgrFrame(new byte[3 * 640 * 480], 640, 480); // twice as large as the input's width
        List<Detection> faces = detector.detect(frame);
        assertEquals("[(200.0, 40.0, 100.0, 120.0) 0.9, (20.0, 40.0, 60.0, 80.0) 0.5]", faces.toString());
    }

    @Test
    public void theFrameLiesInTheUpperLeftCornerAndBlackBesideIt() {
        byte[] white = new byte[3 * 640 * 320];
        Arrays.fill(white, (byte) 255);
        detector.detect(new BgrFrame(white, 640, 320));
        float[] expected = new float[320 * 256];
        Arrays.fill(expected, 0, 320 * 160, 255);
        assertArrayEquals(expected, engine.pixels, 0);
    }

    @Test
    public void everyFrameIsReadAnew() {
        engine.confidences = new float[] {0.9f, 0, 0};
        engine.boxes = new float[] {1, 1, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0};
        Frame frame = new BgrFrame(new byte[3 * 320 * 256], 320, 256);
        assertEquals(1, detector.detect(frame).size());
        engine.confidences = new float[3];
        assertEquals(0, detector.detect(frame).size());
    }

    @Test
    public void closingItClosesItsEngine() {
        detector.close();
        assertTrue(engine.closed);
    }
}
