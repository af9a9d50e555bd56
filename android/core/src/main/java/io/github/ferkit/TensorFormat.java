package io.github.ferkit;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/** How a model file's input or output holds its numbers: as float32, or quantized to a byte each. */
public final class TensorFormat {
    /** The types of numbers, named as a card names them. */
    public enum Type {
        FLOAT32(4, 0),
        INT8(1, -128),
        UINT8(1, 0);

        /** Bytes of a number. */
        public final int bytes;

        private final int least;

        Type(int bytes, int least) {
            this.bytes = bytes;
            this.least = least;
        }
    }

    /** The type of a number. */
    public final Type type;

    /** The number that a quantized step is worth; 0 for float32. */
    public final float scale;

    /** The quantized number that stands for 0; 0 for float32. */
    public final int zeroPoint;

    private TensorFormat(Type type, float scale, int zeroPoint) {
        this.type = type;
        this.scale = scale;
        this.zeroPoint = zeroPoint;
    }

    /** Returns the format of numbers that are kept as they are. */
    public static TensorFormat float32() {
        return new TensorFormat(Type.FLOAT32, 0, 0);
    }

    /**
     * Returns the format of numbers that are kept as {@code number / scale + zeroPoint} in a byte.
     *
     * @throws IllegalArgumentException for float32, and for a scale that is not above 0
     */
    public static TensorFormat quantized(Type type, float scale, int zeroPoint) {
        if (type == Type.FLOAT32 || !(scale > 0)) {
            throw new IllegalArgumentException(
                    "Expected int8 or uint8 with a scale above 0, got " + type + " with " + scale + ".");
        }
        return new TensorFormat(type, scale, zeroPoint);
    }

    /**
     * Returns the byte that stands for a number; halves are rounded to even, numbers out of reach go to the
     * end. For uint8 read it as {@code value & 255}.
     */
    public byte quantize(float number) {
        int step = (int) Math.rint(number / scale) + zeroPoint;
        return (byte) Math.min(Math.max(step, type.least), type.least + 255);
    }

    /** Returns the number that a byte stands for. */
    public float dequantize(byte value) {
        int step = type == Type.UINT8 ? value & 255 : value;
        return (step - zeroPoint) * scale;
    }

    /**
     * Returns a face as a model takes it: a direct buffer in native byte order, ready to be read.
     *
     * @param face gray pixels 0-255, 48 * 48 bytes, as {@link FaceCrop} gives them
     */
    public ByteBuffer input(byte[] face) {
        ByteBuffer input = buffer(face.length);
        write(face, input);
        return input;
    }

    /**
     * Writes an image as a model takes it into a buffer, from its first byte on, ready to be read.
     *
     * @param image gray pixels 0-255
     * @param input as {@link #buffer} makes it
     */
    void write(byte[] image, ByteBuffer input) {
        ((Buffer) input).clear(); // as ByteBuffer's own it would be missing before Android 9
        for (byte pixel : image) {
            float gray = pixel & 255;
            if (type == Type.FLOAT32) {
                input.putFloat(gray);
            } else {
                input.put(quantize(gray));
            }
        }
        ((Buffer) input).rewind();
    }

    @Override
    public String toString() {
        String name = type.name().toLowerCase(Locale.ROOT);
        return type == Type.FLOAT32 ? name : name + " with scale " + scale + ", zero point " + zeroPoint;
    }

    /** Returns an empty direct buffer in native byte order for so many numbers. */
    public ByteBuffer buffer(int numbers) {
        return ByteBuffer.allocateDirect(numbers * type.bytes).order(ByteOrder.nativeOrder());
    }

    /**
     * Returns the scores that a model wrote.
     *
     * @param output from its first byte on, in native byte order; its position is not changed
     * @param numbers how many scores there are
     */
    public float[] scores(ByteBuffer output, int numbers) {
        float[] scores = new float[numbers];
        for (int i = 0; i < numbers; i++) {
            scores[i] = type == Type.FLOAT32 ? output.getFloat(4 * i) : dequantize(output.get(i));
        }
        return scores;
    }
}
