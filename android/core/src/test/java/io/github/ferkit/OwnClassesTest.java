package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Models of three and of twelve classes: their labels are their cards', whatever they are called. */
public class OwnClassesTest {
    private static final CropRule WHOLE_BOX = new CropRule(1, 0, 0);

    @Test
    public void aFaceHasTheLabelOfItsLikeliestScore() {
        assumeTrue("needs libLiteRt.so of the package ai-edge-litert", !LiteRtTest.LIBRARY.isEmpty());
        int compared = 0;
        for (Map<String, Object> model : Golden.models()) {
            Path path = Golden.ROOT.resolve(Golden.text(model, "file"));
            Card card = Golden.card(path);
            if (!Arrays.asList("three", "twelve").contains(card.model)) {
                continue;
            }
            assertEquals(card.model.equals("three") ? 3 : 12, card.labels.size());
            LiteRt engine = new LiteRt(LiteRtTest.LIBRARY, path.toString(), card);
            try (FaceClassifier classifier = new FaceClassifier(card, engine, WHOLE_BOX)) {
                compared += compare(classifier, card, (List<?>) model.get("scores"));
            }
        }
        assertTrue(compared >= 40);
    }

    /** Returns how many faces were compared: those about which the model is sure. */
    private static int compare(FaceClassifier classifier, Card card, List<?> golden) {
        int compared = 0;
        for (int i = 0; i < golden.size(); i++) {
            Map<String, Object> crop = Golden.crops().get(i);
            float[] scores = Golden.floats(golden.get(i));
            float[] sorted = scores.clone();
            Arrays.sort(sorted);
            float likeliest = sorted[sorted.length - 1];
            boolean sure = likeliest - sorted[sorted.length - 2] > 2 * card.largestGap;
            if (!sure || Golden.number(crop, "scale") != 1 || Golden.number(crop, "shift_x") != 0) {
                continue;
            }
            int label = 0;
            while (scores[label] != likeliest) {
                label++;
            }
            Frame frame = Golden.frame(Golden.text(crop, "frame"));
            LabelledFace face = classifier.classify(frame, Rotations.box(crop.get("box")), i, 0);
            assertEquals(card.labels.get(label), face.frameScores.get(0).label);
            assertEquals(card.labels.size(), face.scores.size());
            compared++;
        }
        return compared;
    }
}
