package io.github.ferkit;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Labels the faces of frames, from a detector's boxes; label and probabilities are smoothed over time.
 *
 * <p>It serves one thread, and closes its engine.
 */
public final class FaceClassifier implements AutoCloseable {
    /** Seconds after which an unseen face is forgotten, as in the Python runtime's tracker. */
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
     * @param rule from the detector's box to the face: {@code card.crop("yunet")}, or your own
     */
    public FaceClassifier(Card card, Engine engine, CropRule rule) {
        this.card = card;
        this.engine = engine;
        this.rule = rule;
        this.labels = card.labels;
    }

    /**
     * Returns a face's label and probabilities.
     *
     * @param frame upright and not mirrored
     * @param box the detector's box, in pixels of the frame
     * @param id the detector's number of the face, the same in every frame; any number for a single face
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
