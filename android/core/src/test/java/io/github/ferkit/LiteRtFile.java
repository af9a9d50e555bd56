package io.github.ferkit;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A model file on the JVM, run by the LiteRT C library: as a phone runs it, without a phone.
 *
 * <p>The C interface is that of ai-edge-litert 2.3.0. It moves between releases, and that package comes without
 * headers.
 */
final class LiteRtFile implements AutoCloseable {
    /** The functions of libLiteRt.so, by their own names; each returns 0 or a status. */
    interface C extends Library {
        int LiteRtCreateEnvironment(int count, Pointer options, PointerByReference environment);

        int LiteRtCreateModelFromFile(Pointer environment, String path, PointerByReference model);

        int LiteRtGetModelSignature(Pointer model, long index, PointerByReference signature);

        int LiteRtGetSignatureInputTensorByIndex(Pointer signature, long index, PointerByReference tensor);

        int LiteRtGetSignatureOutputTensorByIndex(Pointer signature, long index, PointerByReference tensor);

        int LiteRtGetSignatureOutputName(Pointer signature, long index, PointerByReference name);

        int LiteRtGetRankedTensorType(Pointer tensor, Pointer type);

        int LiteRtCreateOptions(PointerByReference options);

        int LiteRtSetOptionsHardwareAccelerators(Pointer options, int accelerators);

        int LiteRtCreateCompiledModel(
                Pointer environment, Pointer model, Pointer options, PointerByReference compiled);

        int LiteRtCreateManagedTensorBuffer(
                Pointer environment, int kind, Pointer type, long bytes, PointerByReference buffer);

        int LiteRtLockTensorBuffer(Pointer buffer, PointerByReference memory, int mode);

        int LiteRtUnlockTensorBuffer(Pointer buffer);

        int LiteRtRunCompiledModel(Pointer compiled, long signature, long inputCount, Pointer[] inputs,
                long outputCount, Pointer[] outputs);

        void LiteRtDestroyTensorBuffer(Pointer buffer);

        void LiteRtDestroyCompiledModel(Pointer compiled);

        void LiteRtDestroyOptions(Pointer options);

        void LiteRtDestroyModel(Pointer model);

        void LiteRtDestroyEnvironment(Pointer environment);
    }

    private static final int TYPE_BYTES = 72; // element type, rank, 8 dimensions, 8 strides: 4 bytes each
    private static final int HOST_MEMORY = 1;
    private static final int CPU = 1;
    private static final int READ = 0;
    private static final int WRITE = 1;

    private final C c;
    private final Pointer environment;
    private final Pointer model;
    private final Pointer signature;
    private final Pointer options;
    private final Pointer compiled;
    private final List<Pointer> buffers = new ArrayList<Pointer>();

    /**
     * Opens a model file.
     *
     * @param library the path of libLiteRt.so
     */
    LiteRtFile(String library, String path) {
        c = Native.load(library, C.class);
        PointerByReference made = new PointerByReference();
        check(c.LiteRtCreateEnvironment(0, null, made), "environment");
        environment = made.getValue();
        check(c.LiteRtCreateModelFromFile(environment, path, made), path);
        model = made.getValue();
        check(c.LiteRtGetModelSignature(model, 0, made), "signature");
        signature = made.getValue();
        check(c.LiteRtCreateOptions(made), "options");
        options = made.getValue();
        check(c.LiteRtSetOptionsHardwareAccelerators(options, CPU), "options");
        check(c.LiteRtCreateCompiledModel(environment, model, options, made), "compiled model");
        compiled = made.getValue();
    }

    /** Returns a buffer for the input, once it has been found to have this type of number and shape. */
    Pointer input(TensorFormat format, int... shape) {
        PointerByReference tensor = new PointerByReference();
        check(c.LiteRtGetSignatureInputTensorByIndex(signature, 0, tensor), "input");
        return buffer(tensor.getValue(), format, shape);
    }

    /** Returns a buffer for an output, once it has been found to have this type of number and shape. */
    Pointer output(int index, TensorFormat format, int... shape) {
        PointerByReference tensor = new PointerByReference();
        check(c.LiteRtGetSignatureOutputTensorByIndex(signature, index, tensor), "output");
        return buffer(tensor.getValue(), format, shape);
    }

    String outputName(int index) {
        PointerByReference name = new PointerByReference();
        check(c.LiteRtGetSignatureOutputName(signature, index, name), "output's name");
        return name.getValue().getString(0);
    }

    /** Runs the model; {@code outputs} are all of its outputs in their order. */
    void run(Pointer input, Pointer... outputs) {
        check(c.LiteRtRunCompiledModel(
                compiled, 0, 1, new Pointer[] {input}, outputs.length, outputs), "run");
    }

    void write(Pointer buffer, ByteBuffer from) {
        PointerByReference memory = new PointerByReference();
        check(c.LiteRtLockTensorBuffer(buffer, memory, WRITE), "input");
        memory.getValue().getByteBuffer(0, from.remaining()).put(from);
        check(c.LiteRtUnlockTensorBuffer(buffer), "input");
    }

    /** Fills {@code to}, whose position stays. */
    void read(Pointer buffer, ByteBuffer to) {
        PointerByReference memory = new PointerByReference();
        check(c.LiteRtLockTensorBuffer(buffer, memory, READ), "output");
        to.duplicate().put(memory.getValue().getByteBuffer(0, to.remaining()));
        check(c.LiteRtUnlockTensorBuffer(buffer), "output");
    }

    @Override
    public void close() {
        for (Pointer buffer : buffers) {
            c.LiteRtDestroyTensorBuffer(buffer);
        }
        c.LiteRtDestroyCompiledModel(compiled);
        c.LiteRtDestroyOptions(options);
        c.LiteRtDestroyModel(model);
        c.LiteRtDestroyEnvironment(environment);
    }

    private Pointer buffer(Pointer tensor, TensorFormat format, int... shape) {
        Memory type = new Memory(TYPE_BYTES);
        type.clear();
        check(c.LiteRtGetRankedTensorType(tensor, type), "tensor type");
        int[] numberOfType = {1, 9, 3}; // float32, int8, uint8 in the library's numbers
        boolean fits = type.getInt(0) == numberOfType[format.type.ordinal()]
                && (type.getInt(4) & 127) == shape.length;
        long bytes = format.type.bytes;
        for (int i = 0; i < shape.length; i++) {
            fits &= type.getInt(8 + 4L * i) == shape[i];
            bytes *= shape[i];
        }
        if (!fits) {
            throw new IllegalStateException("The model file is not what its card says.");
        }
        PointerByReference buffer = new PointerByReference();
        check(c.LiteRtCreateManagedTensorBuffer(environment, HOST_MEMORY, type, bytes, buffer), "buffer");
        buffers.add(buffer.getValue());
        return buffer.getValue();
    }

    private static void check(int status, String what) {
        if (status != 0) {
            throw new IllegalStateException("LiteRT: status " + status + " for " + what + ".");
        }
    }
}
