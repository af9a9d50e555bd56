package io.github.ferkit;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;

/**
 * A model file on the JVM, run by the LiteRT C library: as a phone runs it, without a phone.
 *
 * <p>The C interface is that of ai-edge-litert 2.3.0. It moves between releases, and that package comes without
 * headers.
 */
final class LiteRt implements Engine {
    /** The functions of libLiteRt.so, by their own names; each returns 0 or a status. */
    interface C extends Library {
        int LiteRtCreateEnvironment(int count, Pointer options, PointerByReference environment);

        int LiteRtCreateModelFromFile(Pointer environment, String path, PointerByReference model);

        int LiteRtGetModelSignature(Pointer model, long index, PointerByReference signature);

        int LiteRtGetSignatureInputTensorByIndex(Pointer signature, long index, PointerByReference tensor);

        int LiteRtGetSignatureOutputTensorByIndex(Pointer signature, long index, PointerByReference tensor);

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
    private final Card card;
    private final PointerByReference environment = new PointerByReference();
    private final PointerByReference model = new PointerByReference();
    private final PointerByReference options = new PointerByReference();
    private final PointerByReference compiled = new PointerByReference();
    private final PointerByReference input = new PointerByReference();
    private final PointerByReference output = new PointerByReference();

    /**
     * Opens a model file and checks that it is what its card says.
     *
     * @param library the path of libLiteRt.so
     * @param path the model file
     */
    LiteRt(String library, String path, Card card) {
        this.card = card;
        c = Native.load(library, C.class);
        check(c.LiteRtCreateEnvironment(0, null, environment), "environment");
        check(c.LiteRtCreateModelFromFile(environment.getValue(), path, model), path);
        PointerByReference signature = new PointerByReference();
        PointerByReference tensor = new PointerByReference();
        check(c.LiteRtGetModelSignature(model.getValue(), 0, signature), "signature");
        check(c.LiteRtGetSignatureInputTensorByIndex(signature.getValue(), 0, tensor), "input");
        Memory inputType = type(tensor.getValue(), card.input, 1, 48, 48, 1);
        check(c.LiteRtGetSignatureOutputTensorByIndex(signature.getValue(), 0, tensor), "output");
        Memory outputType = type(tensor.getValue(), card.output, 1, card.labels.size());
        check(c.LiteRtCreateOptions(options), "options");
        check(c.LiteRtSetOptionsHardwareAccelerators(options.getValue(), CPU), "options");
        check(c.LiteRtCreateCompiledModel(
                environment.getValue(), model.getValue(), options.getValue(), compiled), "compiled model");
        long inputBytes = (long) FaceCrop.SIDE * FaceCrop.SIDE * card.input.type.bytes;
        long outputBytes = (long) card.labels.size() * card.output.type.bytes;
        check(c.LiteRtCreateManagedTensorBuffer(
                environment.getValue(), HOST_MEMORY, inputType, inputBytes, input), "input buffer");
        check(c.LiteRtCreateManagedTensorBuffer(
                environment.getValue(), HOST_MEMORY, outputType, outputBytes, output), "output buffer");
    }

    /** Returns the scores of a face, 48 * 48 bytes of gray. */
    float[] scores(byte[] face) {
        ByteBuffer scores = card.output.buffer(card.labels.size());
        run(card.input.input(face), scores);
        return card.output.scores(scores, card.labels.size());
    }

    @Override
    public void run(ByteBuffer face, ByteBuffer scores) {
        PointerByReference memory = new PointerByReference();
        check(c.LiteRtLockTensorBuffer(input.getValue(), memory, WRITE), "input");
        memory.getValue().getByteBuffer(0, face.remaining()).put(face);
        check(c.LiteRtUnlockTensorBuffer(input.getValue()), "input");
        check(c.LiteRtRunCompiledModel(compiled.getValue(), 0, 1, new Pointer[] {input.getValue()}, 1,
                new Pointer[] {output.getValue()}), "run");
        check(c.LiteRtLockTensorBuffer(output.getValue(), memory, READ), "output");
        scores.duplicate().put(memory.getValue().getByteBuffer(0, scores.remaining()));
        check(c.LiteRtUnlockTensorBuffer(output.getValue()), "output");
    }

    @Override
    public void close() {
        c.LiteRtDestroyTensorBuffer(input.getValue());
        c.LiteRtDestroyTensorBuffer(output.getValue());
        c.LiteRtDestroyCompiledModel(compiled.getValue());
        c.LiteRtDestroyOptions(options.getValue());
        c.LiteRtDestroyModel(model.getValue());
        c.LiteRtDestroyEnvironment(environment.getValue());
    }

    /** The type of a tensor, once it has been found to have the card's type of number and this shape. */
    private Memory type(Pointer tensor, TensorFormat format, int... shape) {
        Memory type = new Memory(TYPE_BYTES);
        type.clear();
        check(c.LiteRtGetRankedTensorType(tensor, type), "tensor type");
        int[] numberOfType = {1, 9, 3}; // float32, int8, uint8 in the library's numbers
        boolean fits = type.getInt(0) == numberOfType[format.type.ordinal()]
                && (type.getInt(4) & 127) == shape.length;
        for (int i = 0; i < shape.length; i++) {
            fits &= type.getInt(8 + 4L * i) == shape[i];
        }
        if (!fits) {
            throw new IllegalStateException("The model file is not what its card says.");
        }
        return type;
    }

    private static void check(int status, String what) {
        if (status != 0) {
            throw new IllegalStateException("LiteRT: status " + status + " for " + what + ".");
        }
    }
}
