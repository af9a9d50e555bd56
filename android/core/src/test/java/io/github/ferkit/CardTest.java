package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import org.junit.Test;

public class CardTest {
    private static final Path TINY = Golden.ROOT.resolve("tests/data/tiny_int8_io.tflite");
    private static final String JSON = Golden.read(TINY.resolveSibling("tiny_int8_io.tflite.json"));

    private static String messageOf(String modelFile, String json) {
        return assertThrows(CardException.class, () -> Card.read(modelFile, json)).getMessage();
    }

    @Test
    public void aCardSaysWhatAnAppNeeds() {
        Card card = Golden.card(TINY);
        assertEquals("tiny", card.model);
        assertEquals("int8_io", card.precision);
        assertEquals("[angry, disgust, fear, happy, sad, surprise, neutral]", card.labels.toString());
        assertEquals(TensorFormat.Type.INT8, card.input.type);
        assertEquals(1f, card.input.scale, 0);
        assertEquals(-128, card.input.zeroPoint);
        assertEquals(0.00390625f, card.output.scale, 0);
        assertEquals(1.1, card.crop("yunet").scale, 0);
        assertEquals(0, card.crop("haar").shiftY, 0);
        assertEquals(0.06434953212738037, card.largestGap, 0);
    }

    @Test
    public void theCardOfEveryReleasedFileIsReadAndFitsItsFile() throws IOException {
        for (Map<String, Object> model : Golden.models()) {
            Path path = Golden.ROOT.resolve(Golden.text(model, "file"));
            Golden.card(path).check(Files.readAllBytes(path));
        }
    }

    @Test
    public void anotherFileThanTheCardsIsRefused() throws IOException {
        byte[] file = Files.readAllBytes(TINY);
        Card card = Golden.card(TINY);
        String incomplete = assertThrows(
                CardException.class, () -> card.check(Arrays.copyOf(file, 100))).getMessage();
        assertEquals("tiny_int8_io.tflite.json: expected the file that the card describes (2848 bytes), got "
                + "100 bytes. The file is incomplete, or the card belongs to another: copy both again.",
                incomplete);
        file[100] ^= 1;
        String changed = assertThrows(CardException.class, () -> card.check(file)).getMessage();
        assertEquals(0, changed.indexOf("tiny_int8_io.tflite.json: expected the file that the card describes "
                + "(sha256 85d72a8b7ad175411fa8a76a08e504b29df9067fefe5b5f16a58ecd60df67aa6), got sha256 "));
    }

    @Test
    public void aModelThatIsNotWhatItsCardSaysIsRefused() {
        Card card = Golden.card(TINY);
        int[] face = {1, 48, 48, 1};
        int[] scores = {1, 7};
        TensorFormat wrong = TensorFormat.quantized(TensorFormat.Type.INT8, 0.5f, -128);
        card.check(face, card.input, scores, card.output);
        assertEquals("tiny_int8_io.tflite.json: expected the model's input to be int8 with scale 1.0, zero "
                + "point -128 [1, 48, 48, 1], got int8 with scale 0.5, zero point -128 [1, 48, 48, 1]. The "
                + "file was changed after its card was written: export it again.",
                assertThrows(CardException.class, () -> card.check(face, wrong, scores, card.output))
                        .getMessage());
        String message = assertThrows(CardException.class,
                () -> card.check(face, card.input, new int[] {1, 8}, TensorFormat.float32())).getMessage();
        assertEquals("tiny_int8_io.tflite.json: expected the model's output to be int8 with scale 0.00390625, "
                + "zero point -128 [1, 7], got float32 [1, 8]. The file was changed after its card was "
                + "written: export it again.", message);
    }

    @Test
    public void aFaultyCardIsRefusedByFileAndField() {
        String name = "tiny_int8_io.tflite";
        String[][] faults = {
            {"\"card_version\": 1", "\"card_version\": 2", "expected card_version 1, got 2. Export the "
                    + "model again with this release, or install the release that wrote the card."},
            {"\"int8\"", "\"int4\"", "expected input.dtype float32, int8 or uint8, got \"int4\"."},
            {"\"labels\": [", "\"labels\": [\"sad\", ", "expected labels as a list of different names, got "
                    + "[\"sad\", \"angry\", \"disgust\", \"fear\", \"happy\", \"sad\", \"surprise\", "
                    + "\"neutral\"]."},
            {"\"scale\": 1.0", "\"scale\": 0", "expected input.quantization.scale above 0, got 0."},
            {"\"zero_point\"", "\"zero\"",
                    "expected the field input.quantization.zero_point, got none. Export the model again."},
            {"\"model\": \"tiny\"", "\"model\": 3", "expected model to be text, got 3."},
            {"\"scale\": 1.1", "\"scale\": null",
                    "expected input.crop.yunet.scale to be a number, got null."},
            {"255", "1", "expected input.range [0, 255] (gray pixels), got [0, 1]."},
            {" 48,", " 64,", "expected input.shape [1, 48, 48, 1] or [null, 48, 48, 1], got [1, 64, 48, "
                    + "1]."},
        };
        for (String[] fault : faults) {
            String json = JSON.replaceFirst(fault[0].replace("[", "\\["), fault[1]);
            assertEquals(name + ".json: " + fault[2], messageOf(name, json));
        }
        assertEquals("other.tflite.json: expected file other.tflite, got tiny_int8_io.tflite. Rename the "
                + "model file and its card back, or copy the card that belongs to the file.",
                messageOf("other.tflite", JSON));
        assertEquals("a.json: expected an object, got a list.", messageOf("a", "[]"));
        assertEquals("a.json: expected JSON: line 2, column 1: expected a value, got '!'. Export the model "
                + "again, or copy its card again.", messageOf("a", "\n!"));
    }

    @Test
    public void aDetectorWithoutARuleIsRefused() {
        String message =
                assertThrows(CardException.class, () -> Golden.card(TINY).crop("mlkit")).getMessage();
        assertEquals("tiny_int8_io.tflite.json: expected a crop rule for a detector of [yunet, haar], got "
                + "mlkit.", message);
    }

    @Test
    public void jsonIsRead() {
        Object value = Json.parse(" {\"a\": [1, -2.5e3, true, false, null, {}], \"\\u00e9\\n\\\"\": []}\n");
        Map<String, Object> fields = Golden.map(value);
        assertEquals(Arrays.asList(1.0, -2500.0, true, false, null, Collections.emptyMap()), fields.get("a"));
        assertEquals(Collections.emptyList(), fields.get("\u00e9\n\""));
    }

    @Test
    public void whatIsNotJsonIsRefusedByLineAndColumn() {
        String[][] faults = {
            {"", "line 1, column 1: expected a value, got the end"},
            {"[1,\n 2", "line 2, column 3: expected ], got the end"},
            {"{\"a\" 1}", "line 1, column 6: expected :, got '1'"},
            {"{a: 1}", "line 1, column 2: expected a name in quotes, got 'a'"},
            {"[1, ]", "line 1, column 5: expected a value, got ']'"},
            {"[01]", "line 1, column 3: expected ], got '1'"},
            {"[-]", "line 1, column 3: expected a digit, got ']'"},
            {"\"a", "line 1, column 3: expected a quote, got the end"},
            {"\"\\u12g4\"", "line 1, column 3: expected an escape, got 'u'"},
            {"1 2", "line 1, column 3: expected the end, got '2'"},
        };
        for (String[] fault : faults) {
            assertEquals(fault[1],
                    assertThrows(IllegalArgumentException.class, () -> Json.parse(fault[0])).getMessage());
        }
    }
}
