package io.tome4j.server.queue;

/** The server stops: no job is taken any more, and those that had not begun are not carried out. */
public final class QueueClosedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    QueueClosedException() {
        super("The server is stopping");
    }
}
