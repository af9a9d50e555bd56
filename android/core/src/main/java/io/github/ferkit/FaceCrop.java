package io.github.ferkit;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a square out of a frame and resizes it to the face that a model takes, 48x48 gray pixels.
 *
 * <p>Every step, the order of the float additions included, is that of OpenCV's {@code resize}, which the
 * Python runtime calls: by area where the square is larger than a face, bilinear where it is smaller.
 * Android's {@code Bitmap.createScaledBitmap} is bilinear always and gives other faces.
 */
public final class FaceCrop {
    /** Width and height of a face in pixels. */
    public static final int SIDE = 48;

    private FaceCrop() {}

    /**
     * Returns the face in a square, 48 * 48 bytes of gray 0-255, row by row. Pixels outside the frame repeat
     * the frame's edge.
     */
    public static byte[] of(Frame frame, Square square) {
        if (square.side > SIDE) {
            // As OpenCV computes it: for some multiples of 48 not a whole number, and no matter.
            double scale = 1 / (SIDE / (double) square.side);
            int whole = (int) Math.rint(scale);
            boolean isWhole = Math.abs(scale - whole) < Math.ulp(1.0);
            return isWhole ? shrinkByWhole(frame, square, whole) : shrink(frame, square, scale);
        }
        return square.side < SIDE ? enlarge(frame, square) : copy(frame, square);
    }

    private static byte[] copy(Frame frame, Square square) {
        byte[] face = new byte[SIDE * SIDE];
        int[] row = new int[SIDE];
        for (int y = 0; y < SIDE; y++) {
            readRow(frame, square, y, row);
            for (int x = 0; x < SIDE; x++) {
                face[y * SIDE + x] = (byte) row[x];
            }
        }
        return face;
    }

    /** The mean of blocks of {@code scale * scale} pixels; for 2x2 OpenCV rounds a half up, else to even. */
    private static byte[] shrinkByWhole(Frame frame, Square square, int scale) {
        byte[] face = new byte[SIDE * SIDE];
        int[] row = new int[square.side];
        float share = 1f / (scale * scale);
        for (int y = 0; y < SIDE; y++) {
            int[] sums = new int[SIDE];
            for (int inner = 0; inner < scale; inner++) {
                readRow(frame, square, y * scale + inner, row);
                for (int x = 0; x < square.side; x++) {
                    sums[x / scale] += row[x];
                }
            }
            for (int x = 0; x < SIDE; x++) {
                face[y * SIDE + x] = scale == 2 ? (byte) ((sums[x] + 2) >> 2) : nearest(sums[x] * share);
            }
        }
        return face;
    }

    /** The mean over areas that cut pixels: each pixel counts by its share inside. */
    private static byte[] shrink(Frame frame, Square square, double scale) {
        Share[] shares = shares(square.side, scale);
        byte[] face = new byte[SIDE * SIDE];
        int[] row = new int[square.side];
        float[] sums = new float[SIDE];
        for (int index = 0; index < shares.length; index++) {
            Share share = shares[index];
            readRow(frame, square, share.from, row);
            float[] means = new float[SIDE];
            for (Share across : shares) {
                means[across.to] += row[across.from] * across.weight;
            }
            boolean isFirst = index == 0 || shares[index - 1].to != share.to;
            for (int x = 0; x < SIDE; x++) {
                float part = share.weight * means[x];
                sums[x] = isFirst ? part : sums[x] + part;
            }
            boolean isLast = index == shares.length - 1 || shares[index + 1].to != share.to;
            for (int x = 0; isLast && x < SIDE; x++) {
                face[share.to * SIDE + x] = nearest(sums[x]);
            }
        }
        return face;
    }

    /** How much each pixel of a row or column counts in a pixel of the face, in the order of both. */
    private static Share[] shares(int side, double scale) {
        List<Share> shares = new ArrayList<Share>();
        for (int to = 0; to < SIDE; to++) {
            double start = to * scale;
            double end = start + scale;
            double width = Math.min(scale, side - start);
            int last = Math.min((int) Math.floor(end), side - 1);
            int first = Math.min((int) Math.ceil(start), last);
            if (first - start > 1e-3) {
                shares.add(new Share(first - 1, to, (float) ((first - start) / width)));
            }
            for (int from = first; from < last; from++) {
                shares.add(new Share(from, to, (float) (1 / width)));
            }
            if (end - last > 1e-3) {
                shares.add(new Share(last, to, (float) (Math.min(Math.min(end - last, 1), width) / width)));
            }
        }
        return shares.toArray(new Share[0]);
    }

    /** Blends four neighbours with weights of 11 bits, half-pixel centres. */
    private static byte[] enlarge(Frame frame, Square square) {
        int side = square.side;
        double scale = 1 / (SIDE / (double) side);
        int[][] rows = new int[side][SIDE];
        int[] row = new int[side];
        for (int y = 0; y < side; y++) {
            readRow(frame, square, y, row);
            for (int x = 0; x < SIDE; x++) {
                float place = (float) ((x + 0.5) * scale - 0.5);
                int first = (int) Math.floor(place);
                float rest = place - first;
                if (first < 0 || first >= side - 1) {
                    first = first < 0 ? 0 : side - 1;
                    rest = 0;
                }
                int second = Math.min(first + 1, side - 1);
                rows[y][x] = row[first] * weight(1 - rest) + row[second] * weight(rest);
            }
        }
        byte[] face = new byte[SIDE * SIDE];
        for (int y = 0; y < SIDE; y++) {
            float place = (float) ((y + 0.5) * scale - 0.5);
            int first = (int) Math.floor(place);
            float rest = place - first;
            int[] upper = rows[Math.max(first, 0)];
            int[] lower = rows[Math.min(first + 1, side - 1)];
            for (int x = 0; x < SIDE; x++) {
                int above = weight(1 - rest) * (upper[x] >> 4) >> 16;
                int below = weight(rest) * (lower[x] >> 4) >> 16;
                face[y * SIDE + x] = (byte) ((above + below + 2) >> 2);
            }
        }
        return face;
    }

    /** Reads the gray pixels of a square's row into {@code row}, which is as long as the square is wide. */
    private static void readRow(Frame frame, Square square, int y, int[] row) {
        int frameY = inside((long) square.top + y, frame.height());
        int width = frame.width();
        for (int x = 0; x < row.length; x++) {
            row[x] = frame.gray(inside((long) square.left + x, width), frameY);
        }
    }

    /** The nearest position inside; a long, because a square may reach beyond an int's range. */
    private static int inside(long place, int size) {
        return (int) Math.min(Math.max(place, 0), size - 1);
    }

    private static int weight(float share) {
        return (int) Math.rint(share * 2048f);
    }

    private static byte nearest(float gray) {
        return (byte) Math.min(Math.max((int) Math.rint(gray), 0), 255);
    }

    /** The weight of a pixel of the square in a pixel of the face. */
    private static final class Share {
        final int from;
        final int to;
        final float weight;

        Share(int from, int to, float weight) {
            this.from = from;
            this.to = to;
            this.weight = weight;
        }
    }
}
