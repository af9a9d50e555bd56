package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

public class RotationTest {
    private static final byte[] UPRIGHT = Golden.bytes(Rotations.upright(), "gray");
    private static final Box FACE_BOX = Rotations.box(Rotations.upright().get("box"));

    private static Rotation rotation(Map<String, Object> plane) {
        return Rotation.of(Rotations.whole(plane, "degrees"));
    }

    @Test
    public void everyCameraImageIsUprightAsNumpyTurnsIt() {
        for (Map<String, Object> plane : Rotations.planes()) {
            Frame upright = rotation(plane).of(Rotations.image(plane));
            assertEquals(83, upright.width());
            assertEquals(61, upright.height());
            assertArrayEquals(rotation(plane).toString(), UPRIGHT, Rotations.gray(upright));
        }
        assertEquals(4, Rotations.planes().size());
    }

    @Test
    public void everyCameraImageGivesPythonsFaceOfTheUprightFrame() {
        Square square = Square.of(
                FACE_BOX.x, FACE_BOX.y, FACE_BOX.width, FACE_BOX.height, new CropRule(1, 0, 0));
        for (Map<String, Object> plane : Rotations.planes()) {
            byte[] face = FaceCrop.of(rotation(plane).of(Rotations.image(plane)), square);
            assertArrayEquals(
                    rotation(plane).toString(), Golden.bytes(Rotations.upright(), "face"), face);
        }
    }

    @Test
    public void boxesAreTurnedAsNumpyTurnsWhatIsPaintedInThem() {
        List<Box> upright = Rotations.boxes(Rotations.upright());
        for (Map<String, Object> plane : Rotations.planes()) {
            int width = Rotations.whole(plane, "width");
            int height = Rotations.whole(plane, "height");
            List<Box> boxes = Rotations.boxes(plane);
            for (int i = 0; i < boxes.size(); i++) {
                assertEquals(upright.get(i), rotation(plane).of(boxes.get(i), width, height));
                assertEquals(boxes.get(i), rotation(plane).inverse().of(upright.get(i), 83, 61));
            }
            assertEquals(4, boxes.size());
        }
    }

    @Test
    public void aTurnAndItsInverseLeaveAnyBoxAndAnyFrameAsTheyWere() {
        Random random = new Random(6);
        for (int trial = 0; trial < 200; trial++) {
            int width = 1 + random.nextInt(9);
            int height = 1 + random.nextInt(9);
            byte[] gray = new byte[width * height];
            random.nextBytes(gray);
            Frame frame = new LumaFrame(ByteBuffer.wrap(gray), width, 1, 0, 0, width, height);
            // Whole numbers and halves: nothing is lost in their sums.
            Box box = new Box(random.nextInt(40) - 20, random.nextInt(40) / 2.0, 1 + random.nextInt(9),
                    1 + random.nextInt(9));
            for (Rotation rotation : Rotation.values()) {
                Frame turned = rotation.of(frame);
                assertArrayEquals(gray, Rotations.gray(rotation.inverse().of(turned)));
                Box there = rotation.of(box, width, height);
                assertEquals(box, rotation.inverse().of(there, turned.width(), turned.height()));
            }
        }
    }

    @Test
    public void aPixelsBoxIsTurnedToWhereThePixelIs() {
        int width = 5;
        int height = 3;
        byte[] gray = new byte[width * height];
        for (int i = 0; i < gray.length; i++) {
            gray[i] = (byte) i;
        }
        Frame frame = new LumaFrame(ByteBuffer.wrap(gray), width, 1, 0, 0, width, height);
        for (Rotation rotation : Rotation.values()) {
            for (int i = 0; i < gray.length; i++) {
                Box there = rotation.of(new Box(i % width, i / width, 1, 1), width, height);
                assertEquals(i, rotation.of(frame).gray((int) there.x, (int) there.y));
            }
        }
    }

    @Test
    public void fourQuartersAreAWholeTurn() {
        Frame frame = Rotations.image(Rotations.planes().get(0));
        Frame turned = frame;
        Box box = FACE_BOX;
        for (int quarter = 0; quarter < 4; quarter++) {
            box = Rotation.CLOCKWISE_90.of(box, turned.width(), turned.height());
            turned = Rotation.CLOCKWISE_90.of(turned);
        }
        assertArrayEquals(UPRIGHT, Rotations.gray(turned));
        assertEquals(FACE_BOX, box);
    }

    @Test
    public void otherDegreesAreRefused() {
        for (int degrees : new int[] {-90, 45, 360}) {
            assertEquals("Expected a rotation of 0, 90, 180 or 270 degrees, got " + degrees + ".",
                    assertThrows(IllegalArgumentException.class, () -> Rotation.of(degrees)).getMessage());
        }
    }

    @Test
    public void lumaIsWithinALevelOfTheGrayOfEveryColour() {
        int largest = 0;
        for (int colour = 0; colour < 1 << 15; colour++) {
            int red = (colour & 31) * 255 / 31;
            int green = (colour >> 5 & 31) * 255 / 31;
            int blue = (colour >> 10) * 255 / 31;
            // ITU-T T.871 (JFIF), section 7: what a camera writes into plane Y.
            int luma = (int) Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
            largest = Math.max(largest, Math.abs(luma - Luma.of(red, green, blue)));
        }
        assertEquals(1, largest);
    }

    @Test
    public void aPlaneIsReadFromItsPositionAndKeepsIt() {
        ByteBuffer plane = ByteBuffer.wrap(new byte[] {9, 9, 1, 2, 3, 9, 4, 5, 6});
        plane.position(2);
        Frame frame = new LumaFrame(plane, 4, 1, 0, 0, 3, 2);
        assertEquals("[1, 2, 3, 4, 5, 6]", Arrays.toString(Rotations.gray(frame)));
        assertEquals(2, plane.position());
    }

    @Test
    public void aPlaneThatHoldsTooLittleIsRefused() {
        ByteBuffer plane = ByteBuffer.allocate(11);
        assertEquals(1, new LumaFrame(plane, 4, 1, 2, 2, 1, 1).width());
        assertTrue(messageOf(plane, 4, 1, 0, 0, 4, 3).equals("Expected a plane that holds 4x3 pixels from "
                + "column 0 and row 0 on, got 11 bytes with a row stride of 4 and a pixel stride of 1."));
        int[][] faults = {
            {4, 1, -1, 0, 3, 3}, {4, 1, 0, 0, 0, 3}, {4, 1, 2, 0, 3, 1}, {4, 0, 0, 0, 3, 3},
            {4, 2, 0, 0, 3, 1}, {1, 1, Integer.MAX_VALUE, Integer.MAX_VALUE, 9, 9},
        };
        for (int[] fault : faults) {
            messageOf(plane, fault);
        }
    }

    private static String messageOf(ByteBuffer plane, int... part) {
        return assertThrows(IllegalArgumentException.class,
                () -> new LumaFrame(plane, part[0], part[1], part[2], part[3], part[4], part[5]))
                        .getMessage();
    }
}
