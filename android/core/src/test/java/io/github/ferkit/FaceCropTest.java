package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.Test;

public class FaceCropTest {
    private static final CropRule PLAIN = new CropRule(1, 0, 0);

    @Test
    public void everyGoldenSquareIsPythons() {
        for (Map<String, Object> crop : Golden.crops()) {
            Square square = Golden.square(crop);
            assertArrayEquals(Golden.text(crop, "name"), Golden.numbers(crop.get("square")),
                    new double[] {square.left, square.top, square.side}, 0);
        }
        assertEquals(28, Golden.crops().size());
    }

    @Test
    public void everyGoldenFaceIsPythonsToTheLastGrayLevel() {
        for (Map<String, Object> crop : Golden.crops()) {
            byte[] face = FaceCrop.of(Golden.frame(Golden.text(crop, "frame")), Golden.square(crop));
            assertArrayEquals(Golden.text(crop, "name"), Golden.bytes(crop, "face"), face);
        }
    }

    @Test
    public void theFaceIsPythonsAtEverySizeOfTheSquare() {
        Map<String, Object> sweep = Golden.sweep();
        Frame frame = Golden.frame(Golden.text(sweep, "frame"));
        double[] checksums = Golden.numbers(sweep.get("crc32"));
        List<Integer> differing = new ArrayList<Integer>();
        for (int side = 1; side <= checksums.length; side++) {
            int left = (int) Golden.number(sweep, "left");
            CRC32 checksum = new CRC32();
            checksum.update(
                    FaceCrop.of(frame, new Square(left, (int) Golden.number(sweep, "top"), side)));
            if (checksum.getValue() != checksums[side - 1]) {
                differing.add(side);
            }
        }
        assertEquals(new ArrayList<Integer>(), differing);
        assertEquals(256, checksums.length);
    }

    @Test
    public void intsOfABitmapGiveTheSameFaceAsBytes() {
        byte[] bytes = {10, 20, 30, 40, 50, 60};
        int[] ints = {0xFF1E140A, 0x003C3228};
        Square square = new Square(-1, 0, 4);
        byte[] face = FaceCrop.of(new BgrFrame(bytes, 2, 1), square);
        assertArrayEquals(face, FaceCrop.of(new ArgbFrame(ints, 2, 1), square));
        assertEquals(22, face[0]);
        assertEquals(52, face[47]);
    }

    @Test
    public void lumaOfFullColoursIsOpenCvs() {
        assertEquals(76, Luma.of(255, 0, 0));
        assertEquals(150, Luma.of(0, 255, 0));
        assertEquals(29, Luma.of(0, 0, 255));
        assertEquals(255, Luma.of(255, 255, 255));
    }

    @Test
    public void aBoxFarOutsideIsTheNearestEdge() {
        Frame frame = new BgrFrame(new byte[] {10, 10, 10, 99, 99, 99}, 2, 1);
        byte[] left = new byte[FaceCrop.SIDE * FaceCrop.SIDE];
        byte[] right = left.clone();
        Arrays.fill(left, (byte) 10);
        Arrays.fill(right, (byte) 99);
        assertArrayEquals(left, FaceCrop.of(frame, Square.of(-1e18, 0, 60, 60, PLAIN)));
        assertArrayEquals(right, FaceCrop.of(frame, Square.of(1e18, 0, 60, 60, PLAIN)));
    }

    @Test
    public void aBoxWithoutASizeIsRefused() {
        double[][] boxes = {
            {0, 0, 0, 5}, {0, 0, 5, -1}, {Double.NaN, 0, 5, 5}, {0, Double.POSITIVE_INFINITY, 5, 5}
        };
        for (double[] box : boxes) {
            IllegalArgumentException error = assertThrows(IllegalArgumentException.class,
                    () -> Square.of(box[0], box[1], box[2], box[3], PLAIN));
            assertEquals("Expected a box (x, y, width, height) with a size above 0, got (" + box[0] + ", "
                    + box[1] + ", " + box[2] + ", " + box[3] + ").", error.getMessage());
        }
    }

    @Test
    public void aBoxBeyondAllMeasureIsRefused() {
        assertEquals(16384, Square.of(0, 0, 16384, 3, PLAIN).side);
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class, () -> Square.of(0, 0, 1e9, 5, PLAIN));
        assertEquals("Expected a square of at most 16384 pixels, got 1.0E9 from the box (0.0, 0.0, 1.0E9, "
                + "5.0) and the scale 1.0.", error.getMessage());
    }

    @Test
    public void aFrameThatIsNotItsPixelsIsRefused() {
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> new BgrFrame(new byte[4], 1, 1));
        assertEquals("Expected 3 bytes for each pixel of a frame of 1x1 pixels, got 4 bytes.",
                error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new ArgbFrame(new int[0], 0, 0));
    }
}
