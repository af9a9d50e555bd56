package io.github.ferkit;

import static org.junit.Assert.assertArrayEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.Test;

public class FaceNumbersTest {
    private final FaceNumbers numbers = new FaceNumbers();

    /** The numbers of square faces of 100 pixels at these places, x and y of each. */
    private int[] at(double seconds, double... places) {
        List<Detection> faces = new ArrayList<Detection>();
        for (int i = 0; i < places.length; i += 2) {
            faces.add(new Detection(new Box(places[i], places[i + 1], 100, 100), 0.9f));
        }
        return numbers.of(faces, seconds);
    }

    @Test
    public void facesKeepTheirNumbersInWhateverOrderTheyAreFound() {
        assertArrayEquals(new int[] {1, 2}, at(0, 0, 0, 300, 0));
        assertArrayEquals(new int[] {2, 1}, at(0.1, 310, 5, 20, 10));
    }

    @Test
    public void theNearerFaceKeepsTheNumber() {
        at(0, 0, 0);
        assertArrayEquals(new int[] {2, 1}, at(0.1, 60, 0, 10, 0));
    }

    @Test
    public void aFaceAWidthAwayIsTheSameAndOneFurtherAwayIsNew() {
        at(0, 0, 0);
        assertArrayEquals(new int[] {1}, at(0.1, 99, 0));
        assertArrayEquals(new int[] {2}, at(0.2, 201, 0));
    }

    @Test
    public void aFaceUnseenForHalfASecondIsKnownAgainAndLaterIsNew() {
        at(10, 0, 0);
        assertArrayEquals(new int[] {}, at(10.3));
        assertArrayEquals(new int[] {1}, at(10.5, 0, 0));
        assertArrayEquals(new int[] {2}, at(11.1, 0, 0));
    }

    @Test
    public void noNumberIsGivenTwice() {
        at(0, 0, 0);
        numbers.restart();
        assertArrayEquals(new int[] {2}, at(0.1, 0, 0));
    }
}
