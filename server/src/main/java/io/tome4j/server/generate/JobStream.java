package io.tome4j.server.generate;

import io.tome4j.server.http.EventStream;
import io.tome4j.server.queue.JobEvent;
import io.tome4j.server.queue.JobEvent.Ended;
import io.tome4j.server.queue.JobEvents;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.PreviewPlan;
import io.tome4j.server.queue.Ticket;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Sends a job's events as they come. */
public final class JobStream {
    private static final Duration QUIET = Duration.ofSeconds(2);

    private JobStream() {}

    /** Says what is to be sent of an event. */
    @FunctionalInterface
    public interface Teller {
        /**
         * @return whether anything was sent
         * @throws IOException if the client has gone
         */
        boolean tell(JobEvent event) throws IOException;
    }

    /**
     * Tells of all events until the job has ended, whose own is left out; where there is nothing to tell for some seconds
     * it sends something nevertheless, to find out whether the client is still there.
     *
     * @throws IOException if the client has gone
     */
    public static Outcome follow(Ticket ticket, PreviewPlan previews, EventStream stream, Teller teller)
            throws IOException, InterruptedException {
        JobEvents events = ticket.events(previews);
        stream.keepAlive(); // the client has its status and headers at once
        long sent = System.nanoTime();
        while (true) {
            Optional<JobEvent> event = events.next(QUIET);
            if (event.isPresent() && event.get() instanceof Ended ended) {
                return ended.outcome();
            }
            if (event.isPresent() && teller.tell(event.get())) {
                sent = System.nanoTime();
            } else if (System.nanoTime() - sent >= QUIET.toNanos()) {
                stream.keepAlive();
                sent = System.nanoTime();
            }
        }
    }
}
