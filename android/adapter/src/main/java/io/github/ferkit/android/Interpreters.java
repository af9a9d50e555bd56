package io.github.ferkit.android;

import io.github.ferkit.CardException;
import io.github.ferkit.TensorFormat;
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
final class Interpreters {
    private Interpreters() {}

    /**
     * Opens a file.
     *
     * @param name for messages
     * @param threads 1 or more
     * @throws EngineException where LiteRT refuses the file
     */
    static Interpreter open(String name, ByteBuffer bytes, int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("Expected 1 thread or more, got " + threads + ".");
        }
        try {
            Interpreter.Options options = new Interpreter.Options();
            options.setNumThreads(threads);
            options.setUseXNNPACK(true);
            return new Interpreter(bytes, options);
        } catch (LinkageError error) {
            throw new EngineException(name + ": LiteRT has no library for this phone's processor: "
                    + error.getMessage(), error);
        } catch (RuntimeException error) {
            throw new EngineException(name + ": LiteRT can't open the file: " + error.getMessage()
                    + ". Its sha256 is that of the card, so LiteRT is too old for it: update the dependency.",
                    error);
        }
    }

    /**
     * Returns the format of a tensor.
     *
     * @param name of the file, for messages
     * @throws CardException where no card has such a type
     */
    static TensorFormat format(String name, Tensor tensor) {
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

    /** Returns the fault of a file that can't be run. */
    static EngineException failed(String name, RuntimeException error) {
        return new EngineException(name + ": LiteRT can't run the file: " + error.getMessage(), error);
    }

    private static TensorFormat quantized(TensorFormat.Type type, Tensor tensor) {
        Tensor.QuantizationParams steps = tensor.quantizationParams();
        return TensorFormat.quantized(type, steps.getScale(), steps.getZeroPoint());
    }
}
