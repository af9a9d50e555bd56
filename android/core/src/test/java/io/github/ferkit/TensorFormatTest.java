package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.nio.ByteBuffer;
import org.junit.Test;

public class TensorFormatTest {
    private static final byte[] GRAYS = {0, 1, 127, (byte) 128, (byte) 255};

    @Test
    public void aFloatModelTakesGrayPixelsAsTheyAre() {
        ByteBuffer input = TensorFormat.float32().input(GRAYS);
        float[] taken = new float[GRAYS.length];
        input.asFloatBuffer().get(taken);
        assertArrayEquals(new float[] {0, 1, 127, 128, 255}, taken, 0);
        assertEquals(20, input.remaining());
    }

    @Test
    public void anInt8ModelOfPixelStepsTakesThePixelLess128() {
        byte[] taken = new byte[GRAYS.length];
        TensorFormat.quantized(TensorFormat.Type.INT8, 1, -128).input(GRAYS).get(taken);
        assertArrayEquals(new byte[] {-128, -127, -1, 0, 127}, taken);
    }

    @Test
    public void aUint8ModelOfPixelStepsTakesThePixelItself() {
        byte[] taken = new byte[GRAYS.length];
        TensorFormat.quantized(TensorFormat.Type.UINT8, 1, 0).input(GRAYS).get(taken);
        assertArrayEquals(GRAYS, taken);
    }

    @Test
    public void halvesAreRoundedToEvenAndTheEndsHold() {
        TensorFormat format = TensorFormat.quantized(TensorFormat.Type.INT8, 2, 3);
        assertEquals(3, format.quantize(1)); // 0.5 -> 0
        assertEquals(5, format.quantize(3)); // 1.5 -> 2
        assertEquals(5, format.quantize(5)); // 2.5 -> 2
        assertEquals(127, format.quantize(255));
        assertEquals(-128, format.quantize(-1000));
    }

    @Test
    public void bytesComeBackAsProbabilities() {
        ByteBuffer output = ByteBuffer.wrap(new byte[] {-128, 0, 127});
        float[] int8 = TensorFormat.quantized(TensorFormat.Type.INT8, 1 / 256f, -128).scores(output, 3);
        assertArrayEquals(new float[] {0, 0.5f, 0.99609375f}, int8, 0);
        float[] uint8 = TensorFormat.quantized(TensorFormat.Type.UINT8, 1 / 256f, 0).scores(output, 3);
        assertArrayEquals(new float[] {0.5f, 0, 0.49609375f}, uint8, 0);
    }

    @Test
    public void floatsComeBackAsTheyAre() {
        TensorFormat format = TensorFormat.float32();
        ByteBuffer output = format.buffer(2);
        output.putFloat(0.25f).putFloat(0.75f);
        assertArrayEquals(new float[] {0.25f, 0.75f}, format.scores(output, 2), 0);
    }

    @Test
    public void aQuantizedFormatWithoutAScaleIsRefused() {
        assertEquals("Expected int8 or uint8 with a scale above 0, got INT8 with 0.0.",
                assertThrows(IllegalArgumentException.class,
                        () -> TensorFormat.quantized(TensorFormat.Type.INT8, 0, 0)).getMessage());
    }
}
