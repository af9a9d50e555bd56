package io.github.ferkit;

import java.nio.ByteBuffer;

/** Runs one model file, one face at a time, for one thread. */
public interface Engine extends AutoCloseable {
    /**
     * Runs the model.
     *
     * @param input a face as {@link TensorFormat#input} gives it
     * @param output takes the scores from its first byte on; {@link TensorFormat#buffer} makes one
     */
    void run(ByteBuffer input, ByteBuffer output);

    @Override
    void close();
}
