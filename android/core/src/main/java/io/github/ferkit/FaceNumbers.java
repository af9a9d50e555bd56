package io.github.ferkit;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Numbers for detected faces: a face keeps its number from frame to frame.
 *
 * <p>The boxes of two frames belong together by falling overlap, as in the Python runtime's tracker.
 */
final class FaceNumbers {
    private static final double REACH = 2; // boxes are compared at this scale: a face may have moved
    private static final double LEAST = 1.0 / 3; // of boxes at that scale: two alike are then a width apart

    private final List<Known> known = new ArrayList<Known>();
    private int next = 1;

    /**
     * Returns the number of each face of a frame.
     *
     * @param faces what the detector found
     * @param seconds the frame's time
     */
    int[] of(List<Detection> faces, double seconds) {
        forgetThoseUnseenSince(seconds - FaceClassifier.LOST_SECONDS);
        double[][] shared = new double[known.size()][faces.size()];
        for (int row = 0; row < known.size(); row++) {
            for (int column = 0; column < faces.size(); column++) {
                Box box = faces.get(column).box.enlarged(REACH);
                shared[row][column] = known.get(row).box.enlarged(REACH).intersectionOverUnion(box);
            }
        }
        Known[] matched = new Known[faces.size()];
        for (int[] pair = largest(shared); pair != null; pair = largest(shared)) {
            matched[pair[1]] = known.get(pair[0]);
            shared[pair[0]] = new double[faces.size()];
            for (double[] row : shared) {
                row[pair[1]] = 0;
            }
        }
        int[] numbers = new int[faces.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (matched[i] == null) {
                matched[i] = new Known(next++);
                known.add(matched[i]);
            }
            matched[i].box = faces.get(i).box;
            matched[i].seconds = seconds;
            numbers[i] = matched[i].number;
        }
        return numbers;
    }

    /** Forgets every face; no number is given twice. */
    void restart() {
        known.clear();
    }

    private void forgetThoseUnseenSince(double seconds) {
        Iterator<Known> iterator = known.iterator();
        while (iterator.hasNext()) {
            if (iterator.next().seconds < seconds) {
                iterator.remove();
            }
        }
    }

    /** Returns the row and column of the largest overlap; null where none is large enough. */
    private static int[] largest(double[][] shared) {
        int[] place = null;
        double largest = LEAST;
        for (int row = 0; row < shared.length; row++) {
            for (int column = 0; column < shared[row].length; column++) {
                if (place == null ? shared[row][column] >= largest : shared[row][column] > largest) {
                    place = new int[] {row, column};
                    largest = shared[row][column];
                }
            }
        }
        return place;
    }

    private static final class Known {
        final int number;
        Box box;
        double seconds;

        Known(int number) {
            this.number = number;
        }
    }
}
