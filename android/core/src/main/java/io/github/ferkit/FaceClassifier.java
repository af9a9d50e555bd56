package io.github.ferkit;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * From a frame, a detector's box and a time to a label with its probabilities, steadied over time.
 *
 * <p>It serves one thread, and closes its engine.
 */
public final class FaceClassifier implements AutoCloseable {
    /** So long a face may be unseen and is known again afterwards, as in the Python runtime's tracker. */
    public static final double LOST_SECONDS = 0.5;

    /** The names of the scores, in the model's order. */
    public final List<String> labels;

    private final Card card;
    private final Engine engine;
    private final CropRule rule;
    private final Map<Integer, Followed> faces = new HashMap<Integer, Followed>();

    /**
     * Makes a classifier.
     *
     * @param engine runs the file that the card describes
     * @param rule how the detector's boxes are cut: {@code card.crop("yunet")}, or one of your own
     */
    public FaceClassifier(Card card, Engine engine, CropRule rule) {
        this.card = card;
        this.engine = engine;
        this.rule = rule;
        this.labels = card.labels;
    }

    /**
     * Returns what a face shows now.
     *
     * @param frame upright and not mirrored
     * @param box the detector's box, in pixels of the frame
     * @param id the detector's number of the face, the same from frame to frame; any one where there is one
     *     face
     * @param seconds the frame's time
     * @throws IllegalArgumentException for a box without a size
     */
    public LabelledFace classify(Frame frame, Box box, int id, double seconds) {
        float[] frameScores = scores(frame, box);
        forgetThoseUnseenSince(seconds - LOST_SECONDS);
        Followed face = faces.get(id);
        if (face == null) {
            face = new Followed(new Expression(labels));
            faces.put(id, face);
        }
        face.seconds = seconds;
        String label = face.expression.update(frameScores, seconds);
        List<Score> scores = Score.top(face.expression.scores(), labels, labels.size());
        return new LabelledFace(id, box, label, scores, Score.top(frameScores, labels, labels.size()));
    }

    /** Returns a face's probabilities in this frame alone, in the order of the labels. */
    public float[] scores(Frame frame, Box box) {
        Square square = Square.of(box.x, box.y, box.width, box.height, rule);
        ByteBuffer output = card.output.buffer(labels.size());
        engine.run(card.input.input(FaceCrop.of(frame, square)), output);
        return card.output.scores(output, labels.size());
    }

    /** Forgets every face: for another camera or video. */
    public void restart() {
        faces.clear();
    }

    @Override
    public void close() {
        engine.close();
    }

    private void forgetThoseUnseenSince(double seconds) {
        Iterator<Followed> iterator = faces.values().iterator();
        while (iterator.hasNext()) {
            if (iterator.next().seconds < seconds) {
                iterator.remove();
            }
        }
    }

    private static final class Followed {
        final Expression expression;
        double seconds;

        Followed(Expression expression) {
            this.expression = expression;
        }
    }
}
