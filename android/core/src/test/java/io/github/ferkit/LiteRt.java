package io.github.ferkit;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;

/** A classifier's file on the JVM. */
final class LiteRt implements Engine {
    private final Card card;
    private final LiteRtFile file;
    private final Pointer input;
    private final Pointer output;

    /**
     * Opens a model file and checks that it is what its card says.
     *
     * @param library the path of libLiteRt.so
     */
    LiteRt(String library, String path, Card card) {
        this.card = card;
        file = new LiteRtFile(library, path);
        input = file.input(card.input, 1, FaceCrop.SIDE, FaceCrop.SIDE, 1);
        output = file.output(0, card.output, 1, card.labels.size());
    }

    /** Returns the scores of a face, 48 * 48 bytes of gray. */
    float[] scores(byte[] face) {
        ByteBuffer scores = card.output.buffer(card.labels.size());
        run(card.input.input(face), scores);
        return card.output.scores(scores, card.labels.size());
    }

    @Override
    public void run(ByteBuffer face, ByteBuffer scores) {
        file.write(input, face);
        file.run(input, output);
        file.read(output, scores);
    }

    @Override
    public void close() {
        file.close();
    }
}
