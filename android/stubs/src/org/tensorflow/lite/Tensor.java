package org.tensorflow.lite;

public interface Tensor {
    class QuantizationParams {
        public native float getScale();

        public native int getZeroPoint();
    }

    DataType dataType();

    int[] shape();

    QuantizationParams quantizationParams();
}
