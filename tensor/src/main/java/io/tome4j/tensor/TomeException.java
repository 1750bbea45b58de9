package io.tome4j.tensor;

/**
 * What tome4j throws when something outside the program is wrong: a file, a network, an option, a machine without the
 * memory. The message says what was wrong, where, and what to do, and is meant to be shown to a user as it stands.
 */
public class TomeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String option;

    public TomeException(String message) {
        super(message);
        this.option = "";
    }

    public TomeException(String message, Throwable cause) {
        super(message, cause);
        this.option = "";
    }

    private TomeException(String option, String message) {
        super(message);
        this.option = option;
    }

    /**
     * A failure that an option would change: a program whose users know it by another name can say that.
     *
     * @param option its name in snake_case: {@code variant}
     */
    public static TomeException about(String option, String message) {
        return new TomeException(option, message);
    }

    /** The name of the option that would change this; empty if there is none. */
    public String option() {
        return option;
    }
}
