package io.github.ferkit;

/**
 * The mean of one face's scores, in which a frame's weight falls to 1/e in a time constant.
 *
 * <p>The weights are divided by their sum: the first frames give their plain mean, and frames that come
 * unevenly count each for itself.
 */
public final class Smoother {
    private final double timeConstantSeconds;
    private double[] sums;
    private double weight;
    private double lastSeconds = Double.NEGATIVE_INFINITY;

    /** Makes a smoother for one face; a time constant of 0 gives the scores as they come. */
    public Smoother(double timeConstantSeconds) {
        this.timeConstantSeconds = timeConstantSeconds;
    }

    /**
     * Takes in a frame's scores and returns the mean.
     *
     * @param scores a probability for each label; they are not changed
     * @param seconds the frame's time; one before the last counts as the last
     */
    public float[] add(float[] scores, double seconds) {
        if (sums == null) {
            sums = new double[scores.length];
        }
        if (sums.length != scores.length) {
            throw new IllegalArgumentException(
                    "Expected " + sums.length + " scores as before, got " + scores.length + ".");
        }
        double kept = decay(seconds - lastSeconds, timeConstantSeconds);
        weight = kept * weight + 1;
        lastSeconds = Math.max(seconds, lastSeconds);
        float[] means = new float[scores.length];
        for (int i = 0; i < scores.length; i++) {
            sums[i] = kept * sums[i] + scores[i];
            means[i] = (float) (sums[i] / weight);
        }
        return means;
    }

    /** What is left of a weight of 1 after a time: exp(-elapsed / time constant), 1 for a time below 0. */
    static double decay(double elapsedSeconds, double timeConstantSeconds) {
        return timeConstantSeconds <= 0 ? 0 : Math.exp(-Math.max(0, elapsedSeconds) / timeConstantSeconds);
    }
}
