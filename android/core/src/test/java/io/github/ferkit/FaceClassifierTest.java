package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Test;

public class FaceClassifierTest {
    private static final Path TINY = Golden.ROOT.resolve("tests/data/tiny_fp32.tflite");
    private static final Frame FRAME = Golden.frame("noise");
    private static final Box BOX = new Box(5, 5, 50, 50);

    /** An engine with the same scores for every face. */
    private static final class FixedScores implements Engine {
        float[] scores = new float[7];
        boolean closed;

        FixedScores sees(int label) {
            scores = new float[7];
            scores[label] = 1;
            return this;
        }

        @Override
        public void run(ByteBuffer input, ByteBuffer output) {
            assertEquals(4 * 48 * 48, input.remaining());
            output.asFloatBuffer().put(scores);
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private static FaceClassifier classifier(Engine engine) {
        return new FaceClassifier(Golden.card(TINY), engine, new CropRule(1, 0, 0));
    }

    @Test
    public void aFaceInSightIsSmoothedAndLabelledAsInPython() {
        FixedScores engine = new FixedScores();
        FaceClassifier classifier = classifier(engine);
        int frames = 0;
        for (Map<String, Object> frame : Golden.maps(Golden.smoothing().get("frames"))) {
            double seconds = Golden.number(frame, "time_s");
            if (seconds > 1) {
                break; // a gap of 0.7 s, in which a face is lost
            }
            frames++;
            engine.scores = Golden.floats(frame.get("scores"));
            LabelledFace face = classifier.classify(FRAME, BOX, 1, seconds);
            assertEquals("at " + seconds + " s", Golden.text(frame, "label"), face.label);
            float[] smoothed = Golden.floats(frame.get("smoothed"));
            for (Score score : face.scores) {
                assertEquals(smoothed[classifier.labels.indexOf(score.label)], score.probability, 1e-7f);
            }
            for (Score score : face.frameScores) {
                assertEquals(engine.scores[classifier.labels.indexOf(score.label)], score.probability, 0);
            }
        }
        assertEquals(20, frames);
    }

    @Test
    public void theScoresComeWithTheLikeliestFirst() {
        LabelledFace face = classifier(new FixedScores().sees(3)).classify(FRAME, BOX, 5, 0);
        assertEquals("[happy 1.0, angry 0.0, disgust 0.0, fear 0.0, sad 0.0, surprise 0.0, neutral 0.0]",
                face.scores.toString());
        assertEquals(5, face.id);
        assertEquals(BOX, face.box);
    }

    @Test
    public void twoFacesAreSmoothedEachForItself() {
        FixedScores engine = new FixedScores();
        FaceClassifier classifier = classifier(engine);
        for (int i = 0; i < 5; i++) {
            engine.sees(3);
            assertEquals("happy", classifier.classify(FRAME, BOX, 1, i / 30.0).label);
            engine.sees(4);
            assertEquals(1, classifier.classify(FRAME, BOX, 2, i / 30.0).scores.get(0).probability, 0);
        }
    }

    @Test
    public void aFaceIsKnownAgainForHalfASecondAndNoLonger() {
        FixedScores engine = new FixedScores();
        FaceClassifier classifier = classifier(engine);
        engine.sees(3);
        classifier.classify(FRAME, BOX, 1, 10);
        engine.sees(4);
        assertTrue(classifier.classify(FRAME, BOX, 1, 10.5).scores.get(0).probability < 1);
        assertEquals(1, classifier.classify(FRAME, BOX, 1, 11.1).scores.get(0).probability, 0);
    }

    @Test
    public void afterARestartEveryFaceIsNew() {
        FixedScores engine = new FixedScores();
        FaceClassifier classifier = classifier(engine.sees(3));
        classifier.classify(FRAME, BOX, 1, 10);
        classifier.restart();
        engine.sees(4);
        LabelledFace face = classifier.classify(FRAME, BOX, 1, 10.1);
        assertEquals("sad", face.label);
        assertEquals(face.frameScores.toString(), face.scores.toString());
    }

    @Test
    public void closingItClosesItsEngine() {
        FixedScores engine = new FixedScores();
        classifier(engine).close();
        assertTrue(engine.closed);
    }

    @Test
    public void aBoxWithoutASizeIsRefused() {
        FaceClassifier classifier = classifier(new FixedScores());
        assertThrows(IllegalArgumentException.class,
                () -> classifier.classify(FRAME, new Box(5, 5, 0, 9), 1, 0));
    }

    @Test
    public void aCameraImageOnItsSideGivesTheScoresOfTheUprightFrame() {
        assumeTrue("needs libLiteRt.so of the package ai-edge-litert", !LiteRtTest.LIBRARY.isEmpty());
        Map<String, Object> crop = Golden.crops().get(0);
        Frame upright = Golden.frame(Golden.text(crop, "frame"));
        int compared = 0;
        for (Map<String, Object> model : Golden.models()) {
            Path path = Golden.ROOT.resolve(Golden.text(model, "file"));
            Card card = Golden.card(path);
            float[] golden = Golden.floats(((List<?>) model.get("scores")).get(0));
            CropRule rule = new CropRule(Golden.number(crop, "scale"), Golden.number(crop, "shift_x"),
                    Golden.number(crop, "shift_y"));
            List<float[]> found = new ArrayList<float[]>();
            try (FaceClassifier classifier = new FaceClassifier(
                    card, new LiteRt(LiteRtTest.LIBRARY, path.toString(), card), rule)) {
                for (Rotation rotation : Rotation.values()) {
                    Frame lying = rotation.inverse().of(upright);
                    LumaFrame image = new LumaFrame(ByteBuffer.wrap(Rotations.gray(lying)), lying.width(),
                            1, 0, 0, lying.width(), lying.height());
                    found.add(classifier.scores(
                            rotation.of(image), Rotations.box(crop.get("box"))));
                }
            }
            for (float[] scores : found) {
                assertArrayEquals(golden, scores, (float) card.largestGap);
                assertArrayEquals(found.get(0), scores, 0);
                compared++;
            }
        }
        assertTrue(compared >= 8);
    }
}
