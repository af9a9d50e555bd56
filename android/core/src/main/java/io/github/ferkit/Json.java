package io.github.ferkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON without a library: an object as a Map, an array as a List, a number as a Double. */
final class Json {
    private final String text;
    private int place;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Returns what a JSON text holds: Map, List, String, Double, Boolean or null.
     *
     * @throws IllegalArgumentException for text that is not JSON, with the line and column
     */
    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.skipSpace();
        if (json.place < text.length()) {
            throw json.unexpected("the end");
        }
        return value;
    }

    private Object value() {
        skipSpace();
        char first = peek();
        if (first == '{') {
            return object();
        }
        if (first == '[') {
            return array();
        }
        if (first == '"') {
            return string();
        }
        if (first == '-' || isDigit(first)) {
            return number();
        }
        if (takes("true")) {
            return Boolean.TRUE;
        }
        if (takes("false")) {
            return Boolean.FALSE;
        }
        if (takes("null")) {
            return null;
        }
        throw unexpected("a value");
    }

    private Map<String, Object> object() {
        Map<String, Object> fields = new LinkedHashMap<String, Object>();
        place++;
        skipSpace();
        if (takes("}")) {
            return fields;
        }
        do {
            skipSpace();
            if (peek() != '"') {
                throw unexpected("a name in quotes");
            }
            String name = string();
            skipSpace();
            take(":");
            fields.put(name, value());
            skipSpace();
        } while (takes(","));
        take("}");
        return fields;
    }

    private List<Object> array() {
        List<Object> values = new ArrayList<Object>();
        place++;
        skipSpace();
        if (takes("]")) {
            return values;
        }
        do {
            values.add(value());
            skipSpace();
        } while (takes(","));
        take("]");
        return values;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        place++;
        while (peek() != '"') {
            if (peek() < ' ') {
                throw unexpected("a quote");
            }
            char next = text.charAt(place++);
            string.append(next == '\\' ? escaped() : next);
        }
        place++;
        return string.toString();
    }

    private char escaped() {
        char kind = peek();
        int index = "\"\\/bfnrt".indexOf(kind);
        if (index >= 0) {
            place++;
            return "\"\\/\b\f\n\r\t".charAt(index);
        }
        if (kind == 'u' && text.length() - place > 4) {
            int code = 0;
            for (int i = 1; i <= 4; i++) {
                int digit = Character.digit(text.charAt(place + i), 16);
                code = digit < 0 || code < 0 ? -1 : 16 * code + digit;
            }
            if (code >= 0) {
                place += 5;
                return (char) code;
            }
        }
        throw unexpected("an escape");
    }

    private Double number() {
        int start = place;
        takes("-");
        if (!takes("0")) {
            digits();
        }
        if (takes(".")) {
            digits();
        }
        if (takes("e") || takes("E")) {
            if (!takes("+")) {
                takes("-");
            }
            digits();
        }
        return Double.valueOf(text.substring(start, place));
    }

    private void digits() {
        if (!isDigit(peek())) {
            throw unexpected("a digit");
        }
        while (isDigit(peek())) {
            place++;
        }
    }

    private static boolean isDigit(char letter) {
        return letter >= '0' && letter <= '9';
    }

    private void skipSpace() {
        while (place < text.length() && " \t\r\n".indexOf(text.charAt(place)) >= 0) {
            place++;
        }
    }

    /** The next letter; NUL, which no JSON holds, at the end. */
    private char peek() {
        return place < text.length() ? text.charAt(place) : '\0';
    }

    private boolean takes(String expected) {
        if (!text.startsWith(expected, place)) {
            return false;
        }
        place += expected.length();
        return true;
    }

    private void take(String expected) {
        if (!takes(expected)) {
            throw unexpected(expected);
        }
    }

    private IllegalArgumentException unexpected(String expected) {
        String before = text.substring(0, place);
        int line = before.length() - before.replace("\n", "").length() + 1;
        String got = place < text.length() ? "'" + text.charAt(place) + "'" : "the end";
        return new IllegalArgumentException("line " + line + ", column " + (place - before.lastIndexOf('\n'))
                + ": expected " + expected + ", got " + got);
    }
}
