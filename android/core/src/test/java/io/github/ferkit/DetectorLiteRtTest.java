package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import org.junit.Test;

/** From a frame to its faces, on the JVM alone. */
public class DetectorLiteRtTest {
    private static final Path DETECTOR =
            Golden.ROOT.resolve("runtime/models/detectors/detector_int8.tflite");

    /** Where the faces go, a line for each, to be compared with Python's of this machine. */
    private static final String FACES = System.getProperty("ferkit.faces", "");

    /** The golden portrait so many times beside each other and below each other, to the right ever darker. */
    private static Frame portraits(final int across, final int down) {
        final Frame portrait = Golden.frame("portrait");
        return new Frame() {
            @Override
            public int width() {
                return across * portrait.width();
            }

            @Override
            public int height() {
                return down * portrait.height();
            }

            @Override
            public int gray(int x, int y) {
                int darker = 10 * (x / portrait.width());
                return Math.max(0, portrait.gray(x % portrait.width(), y % portrait.height()) - darker);
            }
        };
    }

    @Test
    public void everyPortraitIsFound() throws IOException {
        assumeTrue("needs libLiteRt.so of the package ai-edge-litert", !LiteRtTest.LIBRARY.isEmpty());
        String name = DETECTOR.getFileName().toString();
        DetectorCard card = DetectorCard.read(name, Golden.read(DETECTOR.resolveSibling(name + ".json")));
        card.check(Files.readAllBytes(DETECTOR));
        List<String> lines = new ArrayList<String>();
        int[][] counts = {{1, 1}, {2, 1}, {3, 2}};
        DetectorEngine engine = new LiteRtDetector(LiteRtTest.LIBRARY, DETECTOR.toString(), card);
        try (FaceDetector detector = new FaceDetector(card, engine)) {
            for (int[] count : counts) {
                List<Detection> faces = detector.detect(portraits(count[0], count[1]));
                assertEquals(count[0] * count[1], faces.size());
                for (Detection face : faces) {
                    lines.add(count[0] + " " + count[1] + " " + face.box.x + " " + face.box.y + " "
                            + face.box.width + " " + face.box.height + " " + face.confidence);
                }
            }
        }
        if (!FACES.isEmpty()) {
            Files.write(Paths.get(FACES), lines, StandardCharsets.UTF_8);
        }
    }
}
