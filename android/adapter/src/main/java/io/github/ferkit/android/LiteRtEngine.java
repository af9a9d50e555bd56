package io.github.ferkit.android;

import io.github.ferkit.Card;
import io.github.ferkit.CardException;
import io.github.ferkit.Engine;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** LiteRT's interpreter with a classifier, on the processor. */
public final class LiteRtEngine implements Engine {
    private final String name;
    private final Interpreter interpreter;

    /**
     * Opens a model and checks that it is what its card says.
     *
     * @param threads 1 or more
     * @throws CardException where the card describes another model
     * @throws EngineException where LiteRT refuses the file
     */
    public LiteRtEngine(ModelFile model, int threads) {
        name = model.name;
        interpreter = Interpreters.open(name, model.bytes, threads);
        try {
            check(model.card);
        } catch (RuntimeException error) {
            interpreter.close();
            throw error;
        }
    }

    @Override
    public void run(ByteBuffer input, ByteBuffer output) {
        try {
            interpreter.run(input, output);
        } catch (RuntimeException error) {
            throw Interpreters.failed(name, error);
        }
        ((Buffer) output).rewind(); // LiteRT leaves it at its end; Android before 9 has no ByteBuffer.rewind
    }

    @Override
    public void close() {
        interpreter.close();
    }

    private void check(Card card) {
        int inputs = interpreter.getInputTensorCount();
        int outputs = interpreter.getOutputTensorCount();
        if (inputs != 1 || outputs != 1) {
            throw new CardException(name + ": expected a model with one input and one output, got " + inputs
                    + " and " + outputs + ".");
        }
        Tensor input = interpreter.getInputTensor(0);
        Tensor output = interpreter.getOutputTensor(0);
        card.check(input.shape(), Interpreters.format(name, input), output.shape(),
                Interpreters.format(name, output));
    }
}
