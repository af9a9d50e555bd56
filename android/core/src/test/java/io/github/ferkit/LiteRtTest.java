package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** From a frame and a box to scores, on the JVM alone. */
public class LiteRtTest {
    static final String LIBRARY = System.getProperty("ferkit.litert", "");

    /** Where the scores go, a line for each model and crop, to be compared with Python's of this machine. */
    private static final String SCORES = System.getProperty("ferkit.scores", "");

    @Test
    public void everyModelFileGivesTheGoldenScoresWithinTheGapThatItsCardStates() throws IOException {
        assumeTrue("needs libLiteRt.so of the package ai-edge-litert", !LIBRARY.isEmpty());
        List<String> lines = new ArrayList<String>();
        for (Map<String, Object> model : Golden.models()) {
            Path path = Golden.ROOT.resolve(Golden.text(model, "file"));
            Card card = Golden.card(path);
            List<?> golden = (List<?>) model.get("scores");
            try (LiteRt litert = new LiteRt(LIBRARY, path.toString(), card)) {
                for (int i = 0; i < golden.size(); i++) {
                    Map<String, Object> crop = Golden.crops().get(i);
                    Frame frame = Golden.frame(Golden.text(crop, "frame"));
                    float[] scores = litert.scores(FaceCrop.of(frame, Golden.square(crop)));
                    String where = Golden.text(model, "file") + ", " + Golden.text(crop, "name");
                    StringBuilder line = new StringBuilder(Golden.text(model, "file"));
                    float[] expected = Golden.floats(golden.get(i));
                    assertEquals(expected.length, scores.length);
                    for (int label = 0; label < scores.length; label++) {
                        assertEquals(where, expected[label], scores[label], card.largestGap);
                        line.append(' ').append(scores[label]);
                    }
                    lines.add(line.toString());
                }
            }
        }
        assertTrue(lines.size() >= 100);
        if (!SCORES.isEmpty()) {
            Files.write(Paths.get(SCORES), lines, StandardCharsets.UTF_8);
        }
    }
}
