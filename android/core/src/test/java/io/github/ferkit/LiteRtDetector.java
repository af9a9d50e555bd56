package io.github.ferkit;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.Map;

/** A face detector's file on the JVM. */
final class LiteRtDetector implements DetectorEngine {
    private final LiteRtFile file;
    private final Pointer input;
    private final String[] names;
    private final Pointer[] outputs;

    /**
     * Opens a detector's file and checks that it is what its card says.
     *
     * @param library the path of libLiteRt.so
     */
    LiteRtDetector(String library, String path, DetectorCard card) {
        file = new LiteRtFile(library, path);
        input = file.input(TensorFormat.float32(), card.input.shape());
        names = new String[card.outputs.size()];
        outputs = new Pointer[names.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = file.outputName(i);
            for (NamedTensor output : card.outputs) {
                if (output.name.equals(names[i])) {
                    outputs[i] = file.output(i, TensorFormat.float32(), output.shape());
                }
            }
        }
    }

    @Override
    public void run(ByteBuffer pixels, Map<String, ByteBuffer> results) {
        file.write(input, pixels);
        file.run(input, outputs);
        for (int i = 0; i < outputs.length; i++) {
            file.read(outputs[i], results.get(names[i]));
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
