package io.tome4j.server.queue;

/** No more jobs are taken for now. */
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int retryAfterSeconds;

    QueueFullException(String message, int retryAfterSeconds) {
        super(message);
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /** When there may be room again, at least 1. */
    public int retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
