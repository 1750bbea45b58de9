package io.tome4j.server.queue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a job ended.
 *
 * @param end in which way
 * @param images what was made
 * @param failure why it failed, if it did
 * @param waited in the queue
 * @param took to make the images
 */
public record Outcome(End end, List<MadeImage> images, Optional<Throwable> failure, Duration waited, Duration took) {
    /** The ways in which a job ends. */
    public enum End {
        /** All images were made. */
        DONE,
        /** Somebody interrupted it: there are the images that were made until then, or the one that was begun. */
        INTERRUPTED,
        /** Nobody wants the images any more, or the server stops. */
        CANCELLED,
        FAILED
    }

    public Outcome {
        images = List.copyOf(images);
    }
}
