package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Map;
import java.util.Random;
import org.junit.Test;

public class ProjectionTest {
    private static final double PIXELS = 1e-9;

    @Test
    public void everyBoxLiesInTheViewWhereNumpysMatricesBringIt() {
        for (Map<String, Object> view : Rotations.views()) {
            double[] size = Golden.numbers(view.get("view"));
            Projection projection = new Projection(Rotations.box(view.get("part")), size[0], size[1],
                    (Boolean) view.get("fill") ? Projection.Scale.FILL : Projection.Scale.FIT,
                    (Boolean) view.get("mirrored"));
            Box onFrame = Rotations.box(view.get("frame_box"));
            Box onView = Rotations.box(view.get("view_box"));
            assertClose(onView, projection.onView(onFrame));
            assertClose(onFrame, projection.onFrame(onView));
        }
        assertEquals(5, Rotations.views().size());
    }

    @Test
    public void thereAndBackIsTheSameBox() {
        Random random = new Random(6);
        for (int trial = 0; trial < 500; trial++) {
            Projection projection = new Projection(box(random), 1 + random.nextInt(2000),
                    1 + random.nextInt(2000),
                    random.nextBoolean() ? Projection.Scale.FILL : Projection.Scale.FIT,
                    random.nextBoolean());
            Box box = box(random);
            assertClose(box, projection.onFrame(projection.onView(box)));
        }
    }

    @Test
    public void aFilledViewIsCoveredAndAFittedPartIsInside() {
        Random random = new Random(7);
        for (int trial = 0; trial < 500; trial++) {
            Box part = box(random);
            double width = 1 + random.nextInt(2000);
            double height = 1 + random.nextInt(2000);
            boolean mirrored = random.nextBoolean();
            Box fill = new Projection(part, width, height, Projection.Scale.FILL, mirrored).onView(part);
            Box fit = new Projection(part, width, height, Projection.Scale.FIT, mirrored).onView(part);
            assertTrue(fill.x <= PIXELS && fill.y <= PIXELS);
            assertTrue(fill.width >= width - PIXELS && fill.height >= height - PIXELS);
            assertTrue(fit.x >= -PIXELS && fit.y >= -PIXELS);
            assertTrue(fit.width <= width + PIXELS && fit.height <= height + PIXELS);
        }
    }

    @Test
    public void aMirrorSwapsLeftAndRightAndNothingElse() {
        Box part = new Box(0, 0, 100, 50);
        Box box = new Box(10, 5, 20, 30);
        Box plain = new Projection(part, 200, 100, Projection.Scale.FILL, false).onView(box);
        Box mirrored = new Projection(part, 200, 100, Projection.Scale.FILL, true).onView(box);
        assertEquals(new Box(20, 10, 40, 60), plain);
        assertEquals(new Box(200 - 20 - 40, 10, 40, 60), mirrored);
    }

    @Test
    public void aViewWithoutASizeIsRefused() {
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class,
                () -> new Projection(new Box(0, 0, 4, 3), 0, 3, Projection.Scale.FIT, false));
        assertEquals("Expected a part and a view with a size above 0, got (0.0, 0.0, 4.0, 3.0) and 0.0x3.0.",
                error.getMessage());
    }

    private static Box box(Random random) {
        return new Box(random.nextInt(900) - 300, random.nextInt(900) - 300, 1 + random.nextInt(700),
                1 + random.nextInt(700));
    }

    private static void assertClose(Box expected, Box got) {
        double scale = 1 + Math.abs(expected.x) + Math.abs(expected.y) + expected.width + expected.height;
        String both = expected + " " + got;
        assertEquals(both, expected.x, got.x, PIXELS * scale);
        assertEquals(both, expected.y, got.y, PIXELS * scale);
        assertEquals(both, expected.width, got.width, PIXELS * scale);
        assertEquals(both, expected.height, got.height, PIXELS * scale);
    }
}
