package io.github.ferkit;

import java.util.ArrayList;
import java.util.List;

/**
 * A rectangle of a frame as gray pixels of another size.
 *
 * <p>Every step, the order of the float additions included, is that of OpenCV's {@code resize}, which the
 * Python runtime calls: by area where the rectangle is larger than what is asked for, bilinear where it is
 * smaller. Android's {@code Bitmap.createScaledBitmap} is bilinear always and gives other pixels.
 */
final class Resizing {
    private final Frame frame;
    private final int left;
    private final int top;
    private final int width;
    private final int height;

    /** The rectangle may leave the frame on any side; pixels outside repeat the frame's edge. */
    Resizing(Frame frame, int left, int top, int width, int height) {
        this.frame = frame;
        this.left = left;
        this.top = top;
        this.width = width;
        this.height = height;
    }

    /**
     * Returns the rectangle in another size, gray 0-255, row by row.
     *
     * @param toWidth in pixels; neither side may grow while the other shrinks
     * @param toHeight in pixels
     */
    byte[] to(int toWidth, int toHeight) {
        if (toWidth == width && toHeight == height) {
            return copy();
        }
        if (toWidth > width || toHeight > height) {
            return enlarge(toWidth, toHeight);
        }
        // As OpenCV computes them: for some whole ratios not a whole number, and no matter.
        double across = 1 / (toWidth / (double) width);
        double down = 1 / (toHeight / (double) height);
        boolean areWhole = isWhole(across) && isWhole(down);
        return areWhole ? shrinkByWhole(toWidth, toHeight, (int) Math.rint(across), (int) Math.rint(down))
                : shrink(shares(width, toWidth, across), shares(height, toHeight, down), toWidth, toHeight);
    }

    private static boolean isWhole(double scale) {
        return Math.abs(scale - Math.rint(scale)) < Math.ulp(1.0);
    }

    private byte[] copy() {
        byte[] pixels = new byte[width * height];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            readRow(y, row);
            for (int x = 0; x < width; x++) {
                pixels[y * width + x] = (byte) row[x];
            }
        }
        return pixels;
    }

    /** The mean of blocks of {@code across * down} pixels; for 2x2 OpenCV rounds a half up, else to even. */
    private byte[] shrinkByWhole(int toWidth, int toHeight, int across, int down) {
        byte[] pixels = new byte[toWidth * toHeight];
        int[] row = new int[width];
        float share = 1f / (across * down);
        for (int y = 0; y < toHeight; y++) {
            int[] sums = new int[toWidth];
            for (int inner = 0; inner < down; inner++) {
                readRow(y * down + inner, row);
                for (int x = 0; x < width; x++) {
                    sums[x / across] += row[x];
                }
            }
            for (int x = 0; x < toWidth; x++) {
                pixels[y * toWidth + x] =
                        across == 2 && down == 2 ? (byte) ((sums[x] + 2) >> 2) : nearest(sums[x] * share);
            }
        }
        return pixels;
    }

    /** The mean over areas that cut pixels: each pixel counts by its share inside. */
    private byte[] shrink(Share[] across, Share[] down, int toWidth, int toHeight) {
        byte[] pixels = new byte[toWidth * toHeight];
        int[] row = new int[width];
        float[] sums = new float[toWidth];
        for (int index = 0; index < down.length; index++) {
            Share share = down[index];
            readRow(share.from, row);
            float[] means = new float[toWidth];
            for (Share part : across) {
                means[part.to] += row[part.from] * part.weight;
            }
            boolean isFirst = index == 0 || down[index - 1].to != share.to;
            for (int x = 0; x < toWidth; x++) {
                float part = share.weight * means[x];
                sums[x] = isFirst ? part : sums[x] + part;
            }
            boolean isLast = index == down.length - 1 || down[index + 1].to != share.to;
            for (int x = 0; isLast && x < toWidth; x++) {
                pixels[share.to * toWidth + x] = nearest(sums[x]);
            }
        }
        return pixels;
    }

    /** How much each pixel of a row or column counts in a pixel of the result, in the order of both. */
    private static Share[] shares(int side, int toSide, double scale) {
        List<Share> shares = new ArrayList<Share>();
        for (int to = 0; to < toSide; to++) {
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
    private byte[] enlarge(int toWidth, int toHeight) {
        int[][] rows = enlargedRows(toWidth);
        double scale = 1 / (toHeight / (double) height);
        byte[] pixels = new byte[toWidth * toHeight];
        for (int y = 0; y < toHeight; y++) {
            float place = (float) ((y + 0.5) * scale - 0.5);
            int first = (int) Math.floor(place);
            float rest = place - first;
            int[] upper = rows[Math.max(first, 0)];
            int[] lower = rows[Math.min(first + 1, height - 1)];
            for (int x = 0; x < toWidth; x++) {
                int above = weight(1 - rest) * (upper[x] >> 4) >> 16;
                int below = weight(rest) * (lower[x] >> 4) >> 16;
                pixels[y * toWidth + x] = (byte) ((above + below + 2) >> 2);
            }
        }
        return pixels;
    }

    private int[][] enlargedRows(int toWidth) {
        double scale = 1 / (toWidth / (double) width);
        int[][] rows = new int[height][toWidth];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            readRow(y, row);
            for (int x = 0; x < toWidth; x++) {
                float place = (float) ((x + 0.5) * scale - 0.5);
                int first = (int) Math.floor(place);
                float rest = place - first;
                if (first < 0 || first >= width - 1) {
                    first = first < 0 ? 0 : width - 1;
                    rest = 0;
                }
                int second = Math.min(first + 1, width - 1);
                rows[y][x] = row[first] * weight(1 - rest) + row[second] * weight(rest);
            }
        }
        return rows;
    }

    /** Reads the gray pixels of the rectangle's row. */
    private void readRow(int y, int[] row) {
        int frameY = inside((long) top + y, frame.height());
        int frameWidth = frame.width();
        for (int x = 0; x < row.length; x++) {
            row[x] = frame.gray(inside((long) left + x, frameWidth), frameY);
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

    /** The weight of a pixel of the rectangle in a pixel of the result. */
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
