package io.github.ferkit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** Non-maximum suppression: of boxes around one face the surest stays. */
final class Suppression {
    /** So many boxes, the surest, are compared; a frame with more is no photograph of faces. */
    static final int MOST = 400;

    private Suppression() {}

    /**
     * Returns the boxes that stay, by their number, the surest first; equally sure ones stay in their order.
     *
     * @param boxes x, y, width, height of each
     * @param confidences one a box
     * @param threshold a box below it is no face
     * @param overlap the largest intersection over union of two boxes that both stay
     */
    static List<Integer> kept(final float[] boxes, final float[] confidences, float threshold, double overlap) {
        List<Integer> candidates = new ArrayList<Integer>();
        for (int index = 0; index < confidences.length; index++) {
            if (confidences[index] >= threshold) {
                candidates.add(index);
            }
        }
        Collections.sort(candidates, new Comparator<Integer>() {
            @Override
            public int compare(Integer one, Integer other) {
                return Float.compare(confidences[other], confidences[one]);
            }
        });
        List<Integer> kept = new ArrayList<Integer>();
        for (int candidate : candidates.subList(0, Math.min(candidates.size(), MOST))) {
            boolean isNew = true;
            for (int other : kept) {
                isNew &= intersectionOverUnion(boxes, other, candidate) <= overlap; // boxes without a size: NaN
            }
            if (isNew) {
                kept.add(candidate);
            }
        }
        return kept;
    }

    private static double intersectionOverUnion(float[] boxes, int one, int other) {
        return box(boxes, one).intersectionOverUnion(box(boxes, other));
    }

    private static Box box(float[] boxes, int index) {
        return new Box(boxes[4 * index], boxes[4 * index + 1], boxes[4 * index + 2], boxes[4 * index + 3]);
    }
}
