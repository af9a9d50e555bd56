package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import org.junit.Test;

public class DetectorCardTest {
    private static String messageOf(String from, String to) {
        String json = Detectors.JSON.replace(from, to);
        return assertThrows(CardException.class, () -> DetectorCard.read("d.tflite", json)).getMessage();
    }

    @Test
    public void aCardSaysWhatAnAppNeeds() {
        DetectorCard card = Detectors.card();
        assertEquals(320, card.width);
        assertEquals(256, card.height);
        assertEquals("pixels [1, 256, 320, 1]", card.input.toString());
        assertEquals("[b [1, 3, 4], c [1, 3], e [1, 3, 4]]", card.outputs.toString());
        assertEquals(0.5f, card.threshold, 0);
        assertEquals(0.4, card.overlap, 0);
    }

    @Test
    public void aFaultyCardIsRefusedByFileAndField() {
        assertEquals("d.tflite.json: expected threshold from 0.0 to 1.0, got 2.",
                messageOf("\"threshold\": 0.5", "\"threshold\": 2"));
        assertEquals("d.tflite.json: expected the field outputs.eyes, got none. Export the model again.",
                messageOf("\"eyes\"", "\"noses\""));
        assertEquals("d.tflite.json: expected outputs.boxes.shape [1, 3, 4], got [1, 3, 5].",
                messageOf("\"b\", \"shape\": [1, 3, 4]", "\"b\", \"shape\": [1, 3, 5]"));
        assertEquals("d.tflite.json: expected input.letterbox {\"corner\": \"upper left\", \"fill\": 0}, got "
                + "an object.", messageOf("\"fill\": 0", "\"fill\": 3"));
    }

    @Test
    public void aClassifiersCardIsRefused() {
        String name = "tiny_fp32.tflite";
        String json = Golden.read(Golden.ROOT.resolve("tests/data/tiny_fp32.tflite.json"));
        assertEquals("tiny_fp32.tflite.json: expected kind \"detector\", got null.",
                assertThrows(CardException.class, () -> DetectorCard.read(name, json)).getMessage());
    }

    @Test
    public void anotherTensorThanTheCardsIsRefused() {
        DetectorCard card = Detectors.card();
        card.check(card.boxes, new int[] {1, 3, 4}, TensorFormat.float32());
        assertArrayEquals(new int[] {1, 3}, card.confidences.shape());
        CardException error = assertThrows(CardException.class,
                () -> card.check(card.boxes, new int[] {1, 4, 3}, TensorFormat.float32()));
        assertEquals("d.tflite.json: expected the model's b to be float32 [1, 3, 4], got float32 [1, 4, 3]. "
                + "The file was changed after its card was written: export it again.", error.getMessage());
    }
}
