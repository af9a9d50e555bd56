package org.tensorflow.lite;

import java.nio.ByteBuffer;
import java.util.Map;

public final class Interpreter implements AutoCloseable {
    public static class Options {
        public native Options setNumThreads(int threads);

        public native Options setUseXNNPACK(boolean use);
    }

    public Interpreter(ByteBuffer model, Options options) {}

    public native int getInputTensorCount();

    public native int getOutputTensorCount();

    public native Tensor getInputTensor(int index);

    public native Tensor getOutputTensor(int index);

    public native void run(Object input, Object output);

    public native String[] getSignatureKeys();

    public native Tensor getInputTensorFromSignature(String name, String key);

    public native Tensor getOutputTensorFromSignature(String name, String key);

    public native void runSignature(Map<String, Object> inputs, Map<String, Object> outputs);

    @Override
    public native void close();
}
