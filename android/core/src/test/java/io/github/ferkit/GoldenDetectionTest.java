package io.github.ferkit;

import static org.junit.Assert.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.Test;

public class GoldenDetectionTest {
    private static long checksum(byte[] pixels) {
        CRC32 checksum = new CRC32();
        checksum.update(pixels);
        return checksum.getValue();
    }

    @Test
    public void everyGoldenLetterboxIsPythonsToTheLastGrayLevel() {
        for (Map<String, Object> golden : Golden.letterboxes()) {
            String name = Golden.text(golden, "name");
            Letterbox fitted = new Letterbox(Golden.frame(Golden.text(golden, "frame")),
                    (int) Golden.number(golden, "width"), (int) Golden.number(golden, "height"));
            assertEquals(name, (long) Golden.number(golden, "crc32"), checksum(fitted.pixels));
            float[] box = Golden.floats(golden.get("box"));
            float[] expected = Golden.floats(golden.get("on_frame"));
            assertEquals(name, new Box(expected[0], expected[1], expected[2], expected[3]),
                    fitted.onFrame(box[0], box[1], box[2], box[3]));
        }
        assertEquals(11, Golden.letterboxes().size());
    }

    @Test
    public void theLetterboxIsPythonsAtEverySizeOfTheInput() {
        Map<String, Object> sweep = Golden.letterboxSweep();
        Frame frame = Golden.frame(Golden.text(sweep, "frame"));
        double[] checksums = Golden.numbers(sweep.get("crc32"));
        List<Integer> differing = new ArrayList<Integer>();
        for (int side = 1; side <= checksums.length; side++) {
            if (checksum(new Letterbox(frame, side, side).pixels) != (long) checksums[side - 1]) {
                differing.add(side);
            }
        }
        assertEquals(new ArrayList<Integer>(), differing);
        assertEquals(128, checksums.length);
    }

    @Test
    public void theSameCandidatesBecomeFacesAsInPython() {
        for (Map<String, Object> golden : Golden.suppressions()) {
            float[] boxes = new float[4 * ((List<?>) golden.get("boxes")).size()];
            int next = 0;
            for (Object box : (List<?>) golden.get("boxes")) {
                for (float number : Golden.floats(box)) {
                    boxes[next++] = number;
                }
            }
            List<Integer> kept = Suppression.kept(boxes, Golden.floats(golden.get("confidences")),
                    (float) Golden.number(golden, "threshold"), Golden.number(golden, "overlap"));
            List<Integer> expected = new ArrayList<Integer>();
            for (double index : Golden.numbers(golden.get("kept"))) {
                expected.add((int) index);
            }
            assertEquals(Golden.text(golden, "name"), expected, kept);
        }
        assertEquals(10, Golden.suppressions().size());
    }
}
