package io.github.ferkit.android;

/** LiteRT can't open or run a model file. */
public final class EngineException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
