package io.github.ferkit;

import java.util.ArrayList;
import java.util.List;

/**
 * From a frame to its faces with their expressions, smoothed over time: a detector and a classifier.
 *
 * <p>It serves one thread, and closes both.
 */
public final class Recognizer implements AutoCloseable {
    /** The names of the scores, in the model's order. */
    public final List<String> labels;

    private final FaceDetector detector;
    private final FaceClassifier classifier;
    private final FaceNumbers numbers = new FaceNumbers();

    /**
     * Makes a recognizer.
     *
     * @param classifier cuts faces by the rule for the detector's boxes, {@code card.crop("ferkit")}
     */
    public Recognizer(FaceDetector detector, FaceClassifier classifier) {
        this.detector = detector;
        this.classifier = classifier;
        labels = classifier.labels;
    }

    /**
     * Returns the faces of a frame, the surest first, with boxes in whole pixels; a face keeps its id from
     * frame to frame.
     *
     * @param frame upright and not mirrored
     * @param seconds the frame's time
     */
    public List<LabelledFace> label(Frame frame, double seconds) {
        List<Detection> found = detector.detect(frame);
        int[] ids = numbers.of(found, seconds);
        List<LabelledFace> faces = new ArrayList<LabelledFace>();
        for (int i = 0; i < ids.length; i++) {
            faces.add(classifier.classify(frame, found.get(i).box.inWholePixels(), ids[i], seconds));
        }
        return faces;
    }

    /** Forgets every face: for another camera or video. */
    public void restart() {
        numbers.restart();
        classifier.restart();
    }

    @Override
    public void close() {
        detector.close();
        classifier.close();
    }
}
