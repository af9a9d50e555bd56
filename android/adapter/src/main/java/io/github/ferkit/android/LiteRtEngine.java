package io.github.ferkit.android;

import io.github.ferkit.Card;
import io.github.ferkit.CardException;
import io.github.ferkit.Engine;
import io.github.ferkit.TensorFormat;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/**
 * LiteRT's interpreter on the processor, with XNNPACK's kernels.
 *
 * <p>Not {@code CompiledModel}: that of LiteRT 2.3.0 for Linux ends the process on ARMv8.0 (Cortex-A53, A72),
 * which many phones have. The graphics processor (litert-gpu) was not tried.
 */
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
        if (threads < 1) {
            throw new IllegalArgumentException("Expected 1 thread or more, got " + threads + ".");
        }
        name = model.name;
        try {
            Interpreter.Options options = new Interpreter.Options();
            options.setNumThreads(threads);
            options.setUseXNNPACK(true);
            interpreter = new Interpreter(model.bytes, options);
        } catch (LinkageError error) {
            throw new EngineException(name + ": LiteRT has no library for this phone's processor: "
                    + error.getMessage(), error);
        } catch (RuntimeException error) {
            throw new EngineException(name + ": LiteRT can't open the file: " + error.getMessage()
                    + ". Its sha256 is that of the card, so LiteRT is too old for it: update the dependency.",
                    error);
        }
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
            throw new EngineException(name + ": LiteRT can't run the file: " + error.getMessage(), error);
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
        card.check(input.shape(), format(input), output.shape(), format(output));
    }

    private TensorFormat format(Tensor tensor) {
        switch (tensor.dataType()) {
            case FLOAT32:
                return TensorFormat.float32();
            case INT8:
                return quantized(TensorFormat.Type.INT8, tensor);
            case UINT8:
                return quantized(TensorFormat.Type.UINT8, tensor);
            default:
                throw new CardException(name + ": expected float32, int8 or uint8, got "
                        + tensor.dataType().name().toLowerCase(Locale.ROOT) + ".");
        }
    }

    private static TensorFormat quantized(TensorFormat.Type type, Tensor tensor) {
        Tensor.QuantizationParams steps = tensor.quantizationParams();
        return TensorFormat.quantized(type, steps.getScale(), steps.getZeroPoint());
    }
}
