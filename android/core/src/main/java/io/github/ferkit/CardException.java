package io.github.ferkit;

/** A card is not what version 1 says, or it belongs to another file. */
public final class CardException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    public CardException(String message) {
        super(message);
    }
}
