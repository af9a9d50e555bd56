package io.github.ferkit;

import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Map;

/**
 * Prints the scores of the golden faces on the JVM: {@code GoldenScores LIBRARY MODEL...}.
 *
 * <p>A line holds a model's path and the scores of one face, separated by tabs. It is compiled with the Java
 * library and what its tests use to run LiteRT's C library.
 */
final class GoldenScores {
    private GoldenScores() {}

    public static void main(String[] arguments) {
        for (int i = 1; i < arguments.length; i++) {
            Path path = Paths.get(arguments[i]);
            try (LiteRt litert = new LiteRt(arguments[0], arguments[i], Golden.card(path))) {
                for (Map<String, Object> crop : Golden.crops()) {
                    StringBuilder line = new StringBuilder(arguments[i]);
                    for (float score : litert.scores(Golden.bytes(crop, "face"))) {
                        line.append('\t').append(score);
                    }
                    System.out.println(line);
                }
            }
        }
    }
}
