package io.github.ferkit;

import java.nio.ByteBuffer;
import java.util.Map;

/** Runs one detector's file, one frame at a time, for one thread. */
public interface DetectorEngine extends AutoCloseable {
    /**
     * Runs the detector.
     *
     * @param pixels the card's input, ready to be read
     * @param outputs a buffer for each of the card's outputs, by its name, to be filled from its first byte on
     */
    void run(ByteBuffer pixels, Map<String, ByteBuffer> outputs);

    @Override
    void close();
}
