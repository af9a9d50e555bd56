package io.github.ferkit.android;

import io.github.ferkit.CardException;
import io.github.ferkit.DetectorCard;
import io.github.ferkit.DetectorEngine;
import io.github.ferkit.NamedTensor;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** LiteRT's interpreter with a face detector, on the processor. */
public final class LiteRtDetectorEngine implements DetectorEngine {
    private final String name;
    private final String inputName;
    private final Interpreter interpreter;

    /**
     * Opens a detector and checks that it is what its card says.
     *
     * @param threads 1 or more
     * @throws CardException where the card describes another model
     * @throws EngineException where LiteRT refuses the file
     */
    public LiteRtDetectorEngine(DetectorFile file, int threads) {
        name = file.name;
        inputName = file.card.input.name;
        interpreter = Interpreters.open(name, file.bytes, threads);
        try {
            check(file.card);
        } catch (RuntimeException error) {
            interpreter.close();
            throw error;
        }
    }

    @Override
    public void run(ByteBuffer pixels, Map<String, ByteBuffer> outputs) {
        try {
            interpreter.runSignature(Collections.<String, Object>singletonMap(inputName, pixels),
                    new HashMap<String, Object>(outputs));
        } catch (RuntimeException error) {
            throw Interpreters.failed(name, error);
        }
    }

    @Override
    public void close() {
        interpreter.close();
    }

    private void check(DetectorCard card) {
        String[] signatures = interpreter.getSignatureKeys();
        if (signatures.length != 1) {
            throw new CardException(name + ": expected a file with one signature, got " + signatures.length
                    + ".");
        }
        try {
            check(card, card.input, interpreter.getInputTensorFromSignature(inputName, signatures[0]));
            for (NamedTensor output : card.outputs) {
                check(card, output, interpreter.getOutputTensorFromSignature(output.name, signatures[0]));
            }
        } catch (CardException error) {
            throw error;
        } catch (IllegalArgumentException error) {
            throw new CardException(name + ": expected the card's input and outputs, got a file without one: "
                    + error.getMessage());
        }
    }

    private void check(DetectorCard card, NamedTensor expected, Tensor tensor) {
        card.check(expected, tensor.shape(), Interpreters.format(name, tensor));
    }
}
