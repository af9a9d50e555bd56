package io.github.ferkit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/**
 * {@link Card} and {@link DetectorCard} refuse what card.schema.json refuses: tests/data/card_verdicts.json has
 * the verdicts.
 */
public class CardVerdictsTest {
    private static final Path DATA = Golden.ROOT.resolve("tests/data");

    @Test
    public void aChangedCardIsTakenWhereTheSchemaTakesIt() {
        int refused = 0;
        for (Map<String, Object> entry : Golden.maps(
                Json.parse(Golden.read(DATA.resolve("card_verdicts.json"))))) {
            String card = Golden.text(entry, "card");
            List<?> place = (List<?>) entry.get("at");
            Object without = Json.parse(Golden.read(DATA.resolve(card)));
            remove(without, place);
            assertEquals("without " + place, entry.get("optional"), isTaken(card, without));
            for (Object value : (List<?>) entry.get("valid")) {
                assertTrue(place + ": " + value, isTaken(card, with(card, place, value)));
            }
            for (Object value : (List<?>) entry.get("refused")) {
                assertEquals(place + ": " + value, false, isTaken(card, with(card, place, value)));
                refused++;
            }
        }
        assertTrue(refused > 300);
    }

    private static boolean isTaken(String card, Object json) {
        String modelFile = card.substring(0, card.length() - ".json".length());
        try {
            if (Golden.map(json).containsKey("kind")) {
                DetectorCard.of(modelFile, json);
            } else {
                Card.of(modelFile, json);
            }
            return true;
        } catch (CardException error) {
            return false;
        }
    }

    /** A card with another value at a place. */
    private static Object with(String card, List<?> place, Object value) {
        Object changed = Json.parse(Golden.read(DATA.resolve(card)));
        Object owner = owner(changed, place);
        Object key = place.get(place.size() - 1);
        if (owner instanceof Map) {
            Golden.map(owner).put((String) key, value);
        } else {
            list(owner).set(((Double) key).intValue(), value);
        }
        return changed;
    }

    private static void remove(Object card, List<?> place) {
        Object owner = owner(card, place);
        Object key = place.get(place.size() - 1);
        if (owner instanceof Map) {
            Golden.map(owner).remove(key);
        } else {
            list(owner).remove(((Double) key).intValue());
        }
    }

    private static Object owner(Object card, List<?> place) {
        Object owner = card;
        for (Object key : place.subList(0, place.size() - 1)) {
            owner = Golden.map(owner).get(key);
        }
        return owner;
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(Object value) {
        return (List<Object>) value;
    }
}
