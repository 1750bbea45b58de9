package io.tome4j.server.queue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/** One's claim to a job's images. Who closes it before the job has ended gives it up; without any claim a job is cancelled. */
public final class Ticket implements AutoCloseable {
    private final GenerationQueue queue;
    private final Job job;
    private final boolean joined;
    private final List<JobEvents> listening = new ArrayList<>();
    private boolean closed;

    Ticket(GenerationQueue queue, Job job, boolean joined) {
        this.queue = queue;
        this.job = job;
        this.joined = joined;
    }

    public Job job() {
        return job;
    }

    /** Whether another one had asked for the same before. */
    public boolean joined() {
        return joined;
    }

    /** What happens to the job from now on, beginning with how far it is. */
    public JobEvents events(PreviewPlan previews) {
        JobEvents events = job.listen(previews);
        listening.add(events);
        return events;
    }

    /** Waits until the job has ended. */
    public Outcome await() throws InterruptedException {
        try {
            return job.outcome().get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("A job's outcome holds its failure", e);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            listening.forEach(job::leave);
            queue.giveUp(job);
        }
    }
}
