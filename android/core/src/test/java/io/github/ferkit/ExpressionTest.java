package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.Test;

public class ExpressionTest {
    private static final List<String> LABELS = Arrays.asList("angry", "happy", "sad");

    @Test
    public void theGoldenFaceIsSmoothedAndLabelledAsInPython() {
        Map<String, Object> smoothing = Golden.smoothing();
        List<String> labels = new ArrayList<String>();
        for (Object label : (List<?>) smoothing.get("labels")) {
            labels.add((String) label);
        }
        Expression expression = new Expression(labels, Golden.number(smoothing, "time_constant_s"),
                Golden.number(smoothing, "margin"), Golden.number(smoothing, "threshold"),
                Golden.number(smoothing, "change"));
        Set<String> shown = new LinkedHashSet<String>();
        for (Map<String, Object> frame : Golden.maps(smoothing.get("frames"))) {
            double seconds = Golden.number(frame, "time_s");
            String label = expression.update(Golden.floats(frame.get("scores")), seconds);
            assertEquals("at " + seconds + " s", Golden.text(frame, "label"), label);
            assertArrayEquals(
                    "at " + seconds + " s", Golden.floats(frame.get("smoothed")), expression.scores(), 1e-7f);
            shown.add(label);
        }
        assertEquals("[happy, neutral, uncertain, sad, surprise]", shown.toString());
    }

    @Test
    public void theSettingsArePythons() {
        Map<String, Object> smoothing = Golden.smoothing();
        assertEquals(Golden.number(smoothing, "time_constant_s"), Expression.TIME_CONSTANT_SECONDS, 0);
        assertEquals(Golden.number(smoothing, "margin"), Expression.MARGIN, 0);
        assertEquals(Golden.number(smoothing, "threshold"), Expression.THRESHOLD, 0);
        assertEquals(Golden.number(smoothing, "change"), Expression.CHANGE, 0);
    }

    @Test
    public void aWeightFallsToAThirdInOneTimeConstant() {
        assertEquals(1 / Math.E, Smoother.decay(0.3, 0.3), 1e-15);
        assertEquals(1, Smoother.decay(-5, 0.3), 0);
        assertEquals(0, Smoother.decay(0, 0), 0);
    }

    @Test
    public void theFirstFrameGivesItsOwnScores() {
        float[] scores = {0.25f, 0.75f};
        assertArrayEquals(scores, new Smoother(1, 0.3).add(scores, 17), 0);
    }

    @Test
    public void framesOfTheSameTimeGiveTheirPlainMeanAndAStepBackTakesNothingAway() {
        Smoother smoother = new Smoother(1, 1);
        smoother.add(new float[] {1, 0}, 2);
        smoother.add(new float[] {0, 1}, 2);
        smoother.add(new float[] {0, 1}, 1);
        assertArrayEquals(new float[] {0.25f, 0.75f}, smoother.add(new float[] {0, 1}, 2), 0);
    }

    @Test
    public void afterAClockWasSetBackOlderFramesFadeAgain() {
        Smoother smoother = new Smoother(0.5, 1);
        smoother.add(new float[] {1, 0}, 3600);
        smoother.add(new float[] {1, 0}, 0);
        float kept = (float) (2 / Math.E);
        assertArrayEquals(new float[] {kept / (kept + 1), 1 / (kept + 1)},
                smoother.add(new float[] {0, 1}, 0.5), 1e-6f);
    }

    @Test
    public void aTimeThatIsNoNumberIsRefused() {
        for (double seconds : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            assertEquals("Expected a finite number of seconds, got " + seconds + ".",
                    assertThrows(IllegalArgumentException.class,
                            () -> new Smoother(1, 0.3).add(new float[] {1, 0}, seconds)).getMessage());
        }
    }

    @Test
    public void aLargeChangeIsFollowedWithinAFifthOfASecondAndASmallOneTakesItsTime() {
        assertTrue(afterAChange(0.1f, 0.9f, 0.3) > 0.6);
        assertEquals(0.1f + 0.8f * (1 - Math.exp(-0.2)), afterAChange(0.1f, 0.9f, 1), 0.02);
        assertEquals(0.5f + 0.25f * (1 - Math.exp(-0.2)), afterAChange(0.5f, 0.75f, 0.3), 0.02);
    }

    /** The second label's mean 0.2 s after its score went from one value to another, at 30 frames/s. */
    private static double afterAChange(float before, float after, double change) {
        Smoother smoother = new Smoother(1, change);
        for (int i = 0; i < 150; i++) {
            smoother.add(new float[] {1 - before, before}, i / 30.0);
        }
        float[] mean = new float[2];
        for (int i = 150; i < 156; i++) {
            mean = smoother.add(new float[] {1 - after, after}, i / 30.0);
        }
        return mean[1];
    }

    @Test
    public void withoutATimeConstantNothingIsKept() {
        Smoother smoother = new Smoother(0, 0.3);
        smoother.add(new float[] {1, 0}, 0);
        assertArrayEquals(new float[] {0.25f, 0.75f}, smoother.add(new float[] {0.25f, 0.75f}, 0), 0);
    }

    @Test
    public void theShownLabelStaysUntilAnotherIsAheadByMoreThanTheMargin() {
        assertEquals(1, Expression.choose(new float[] {0.4f, 0.45f, 0.15f}, Expression.NONE, 0.25, 0.125));
        assertEquals(1, Expression.choose(new float[] {0.5f, 0.25f, 0.25f}, 1, 0.25, 0.125));
        assertEquals(0, Expression.choose(new float[] {0.625f, 0.25f, 0.125f}, 1, 0.25, 0.125));
    }

    @Test
    public void uncertainIsShownWhereNoLabelHasEnough() {
        assertEquals("uncertain", new Expression(LABELS).update(new float[] {0.3f, 0.34f, 0.34f}, 0));
        assertEquals("happy", new Expression(LABELS).update(new float[] {0.2f, 0.46f, 0.34f}, 0));
    }

    @Test
    public void aLabelBelowTheThresholdIsShownNoMoreAndOneAboveItByTheMarginAgain() {
        assertEquals(0, Expression.choose(new float[] {0.375f, 0.125f}, 0, 0.125, 0.375));
        assertEquals(2, Expression.choose(new float[] {0.25f, 0.125f}, 0, 0.125, 0.375));
        assertEquals(2, Expression.choose(new float[] {0.25f, 0.375f}, 0, 0.125, 0.3));
        assertEquals(1, Expression.choose(new float[] {0.25f, 0.5f}, 0, 0.125, 0.3));
        assertEquals(2, Expression.choose(new float[] {0.5f, 0.125f}, 2, 0.125, 0.375));
        assertEquals(0, Expression.choose(new float[] {0.625f, 0.125f}, 2, 0.125, 0.375));
    }

    @Test
    public void aClearLabelPassesAnyThresholdAgain() {
        for (double least : new double[] {0.4, 0.8, 0.95}) {
            assertEquals(0, Expression.choose(new float[] {0.99f, 0.01f}, 2, 0.2, least));
        }
        assertEquals(2, Expression.choose(new float[] {0.9f, 0.1f}, 2, 0.2, 0.8));
    }

    @Test
    public void afterAChangeTheNextOneNeedsTwiceTheMarginForTenSeconds() {
        Expression expression = new Expression(LABELS, 0, 0.1, 0.4, 0.3);
        String first = expression.update(new float[] {0.5f, 0.4f, 0.1f}, 0);
        String second = expression.update(new float[] {0.4f, 0.55f, 0.05f}, 1);
        assertEquals(LABELS.subList(0, 2), java.util.Arrays.asList(first, second));
        assertEquals(second, expression.update(new float[] {0.56f, 0.41f, 0.03f}, 2));
        assertEquals(second, expression.update(new float[] {0.56f, 0.41f, 0.03f}, 10.9));
        assertEquals(first, expression.update(new float[] {0.56f, 0.41f, 0.03f}, 11.1));
        assertEquals(second, expression.update(new float[] {0.38f, 0.6f, 0.02f}, 12));
    }

    @Test
    public void anotherNumberOfScoresIsRefused() {
        Expression expression = new Expression(LABELS);
        assertEquals("Expected a score for each of 3 labels, got 2.",
                assertThrows(IllegalArgumentException.class, () -> expression.update(new float[2], 0))
                        .getMessage());
    }

    @Test
    public void theLikeliestLabelsComeFirstAndEqualOnesInTheirOrder() {
        List<Score> top = Score.top(new float[] {0.25f, 0.5f, 0.25f}, LABELS, 2);
        assertEquals("[happy 0.5, angry 0.25]", top.toString());
        assertEquals(3, Score.top(new float[] {0.25f, 0.5f, 0.25f}, LABELS, 9).size());
        assertThrows(IllegalArgumentException.class, () -> Score.top(new float[1], LABELS, 1));
    }
}
