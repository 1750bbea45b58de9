package io.tome4j.tensor;

/**
 * What tome4j throws when something outside the program is wrong: a file, a network, an option, a machine without the
 * memory. The message says what was wrong, where, and what to do, and is meant to be shown to a user as it stands.
 */
public class TomeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TomeException(String message) {
        super(message);
    }

    public TomeException(String message, Throwable cause) {
        super(message, cause);
    }
}
