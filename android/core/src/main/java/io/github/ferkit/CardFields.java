package io.github.ferkit;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** An object of a card, whose fields are checked as they are read; a fault names the card and the field. */
final class CardFields {
    private final String card;
    private final String where;
    private final Map<String, Object> values;

    private CardFields(String card, String where, Map<String, Object> values) {
        this.card = card;
        this.where = where;
        this.values = values;
    }

    /**
     * Returns a card's own fields.
     *
     * @param card the card's file, for messages
     * @param json what {@link Json#parse} made of it
     * @throws CardException where it is not an object
     */
    static CardFields of(String card, Object json) {
        if (!(json instanceof Map)) {
            throw new CardException(card + ": expected an object, got " + kind(json) + ".");
        }
        return new CardFields(card, "", CardFields.<Map<String, Object>>cast(json));
    }

    /** Returns the names of the fields. */
    Set<String> names() {
        return values.keySet();
    }

    /** Returns a field's value, null where it is left out. */
    Object get(String field) {
        return values.get(field);
    }

    /** Returns a text. */
    String text(String field) {
        return required(field, String.class, "text");
    }

    /** Returns a number. */
    double number(String field) {
        return required(field, Double.class, "a number");
    }

    /** Returns a number within limits. */
    double number(String field, double least, double most) {
        double number = number(field);
        if (!(number >= least && number <= most)) {
            throw wrong(field, "from " + least + " to " + most);
        }
        return number;
    }

    /** Returns a number without a fraction. */
    double wholeNumber(String field) {
        double number = number(field);
        if (number != Math.rint(number)) {
            throw wrong(field, "to be a whole number");
        }
        return number;
    }

    /** Returns a list. */
    List<?> list(String field) {
        return required(field, List.class, "a list");
    }

    /** Returns an object. */
    CardFields object(String field) {
        Map<String, Object> object = cast(required(field, Map.class, "an object"));
        return new CardFields(card, where + field + ".", object);
    }

    /** Checks that a field is an object or null, or left out. */
    void checkObjectOrNull(String field) {
        if (get(field) != null && !(get(field) instanceof Map)) {
            throw wrong(field, "to be an object or null");
        }
    }

    /** Checks that a field is text, null, or left out. */
    void checkTextOrNull(String field) {
        if (get(field) != null && !(get(field) instanceof String)) {
            throw wrong(field, "to be text or null");
        }
    }

    /** Checks that a field is null or left out. */
    void checkNull(String field) {
        if (get(field) != null) {
            throw wrong(field, "to be null");
        }
    }

    /** Returns the fault of a field that is not as expected. */
    CardException wrong(String field, String expected) {
        return new CardException(
                card + ": expected " + where + field + " " + expected + ", got " + shown(get(field)) + ".");
    }

    private <T> T required(String field, Class<T> type, String kind) {
        if (!values.containsKey(field)) {
            throw new CardException(card + ": expected the field " + where + field
                    + ", got none. Export the model again.");
        }
        Object value = values.get(field);
        if (!type.isInstance(value)) {
            throw wrong(field, "to be " + kind);
        }
        return type.cast(value);
    }

    /** Returns a value for a message: objects by their kind, whole numbers without a fraction. */
    static String shown(Object value) {
        if (value instanceof List) {
            StringBuilder list = new StringBuilder();
            for (Object element : (List<?>) value) {
                list.append(list.length() == 0 ? "" : ", ").append(shown(element));
            }
            return "[" + list + "]";
        }
        if (value instanceof Double && (Double) value == ((Double) value).intValue()) {
            return String.valueOf(((Double) value).intValue());
        }
        return value instanceof Map ? "an object"
                : value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
    }

    private static String kind(Object value) {
        return value == null ? "null"
                : value instanceof List ? "a list"
                : value instanceof String ? "text"
                : value instanceof Double ? "a number" : "true or false";
    }

    /** {@link Json} makes Maps of objects, whose keys are text. */
    @SuppressWarnings("unchecked")
    private static <T> T cast(Object value) {
        return (T) value;
    }
}
