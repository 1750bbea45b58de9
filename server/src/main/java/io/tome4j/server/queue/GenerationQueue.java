package io.tome4j.server.queue;

import io.tome4j.server.queue.Job.Stop;
import io.tome4j.server.queue.Outcome.End;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Jobs for one pipeline, which is loaded, run and closed by one thread of its own. Jobs are carried out in the order they
 * came in. There is room for so many that wait; a request for what a job makes already is joined to it.
 */
public final class GenerationQueue {
    /** So many may want the same images: each of them holds a thread of the server. */
    private static final int MOST_JOINED = 32;

    /** Of all that wait for images, for the same reason. */
    private static final int MOST_TICKETS = 250;

    /** Models to load and to free, likewise. */
    private static final int MOST_ERRANDS = 8;

    private static final double FIRST_GUESS_SECONDS = 10;
    private static final int LONGEST_RETRY_SECONDS = 600;

    private final Object lock = new Object();
    private final Deque<Job> waiting = new ArrayDeque<>();
    private final Deque<Runnable> errands = new ArrayDeque<>();
    private final int capacity;
    private final ModelShelf shelf;
    private final QueueListener listener;
    private final Thread thread = new Thread(this::work, "tome4j-generation");
    private @Nullable Job running;
    private boolean closing;
    private long lastId;
    private double usualSeconds = FIRST_GUESS_SECONDS;

    /**
     * @param models at least one, of different names; the first is the one that is run unless another is asked for
     * @param capacity how many jobs may wait, at least 1
     */
    public GenerationQueue(List<ServedModel> models, int capacity, QueueListener listener) {
        this.shelf = new ModelShelf(models, listener);
        this.capacity = capacity;
        this.listener = listener;
        thread.setDaemon(true);
    }

    /**
     * Begins to work: loads the first model.
     *
     * @return done when it is loaded; failed with what the loader threw
     */
    public CompletableFuture<Void> start() {
        thread.start();
        return load(models().get(0));
    }

    /** The models that can be run, the usual one first. */
    public List<ServedModel> models() {
        return shelf.models();
    }

    /** The name of the model in memory; empty if none is. */
    public Optional<String> loadedModel() {
        return shelf.loadedName();
    }

    /**
     * Loads a model in place of the one that is in memory, after the job that runs.
     *
     * @throws QueueFullException if too much of this kind waits already
     * @throws QueueClosedException if the server is stopping
     */
    public CompletableFuture<Void> load(ServedModel model) {
        return errand(() -> shelf.pipeline(model));
    }

    /**
     * Frees the model in memory, after the job that runs; the next job loads it again.
     *
     * @throws QueueFullException as {@link #load}
     * @throws QueueClosedException as {@link #load}
     */
    public CompletableFuture<Void> unload() {
        return errand(shelf::unload);
    }

    private CompletableFuture<Void> errand(Runnable action) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        synchronized (lock) {
            if (closing) {
                throw new QueueClosedException(); // nobody would carry it out any more
            }
            if (errands.size() >= MOST_ERRANDS) {
                throw new QueueFullException(
                        errands.size() + " models are to be loaded or freed already; try again later",
                        retryAfterSeconds());
            }
            errands.add(() -> {
                try {
                    action.run();
                    done.complete(null);
                } catch (RuntimeException | Error e) {
                    done.completeExceptionally(e);
                }
            });
            lock.notifyAll();
        }
        return done;
    }

    /**
     * Adds a job, or joins the one that makes the same.
     *
     * @param retry how to know the same request when it is asked again; empty where its seed was not drawn at random, so that
     *     the task itself is the same
     * @throws QueueFullException if there is no room
     * @throws QueueClosedException if the server is stopping
     */
    public Ticket submit(Task task, Optional<Retry> retry) {
        synchronized (lock) {
            if (closing) {
                throw new QueueClosedException();
            }
            Optional<Job> same = all().filter(
                            job -> job.stop() == Stop.NO && (job.task().equals(task) || job.isAskedAgain(retry)))
                    .findFirst();
            if (same.isPresent()) {
                return join(same.get());
            }
            requireThread();
            if (waiting.size() >= capacity) {
                listener.refused();
                throw new QueueFullException(
                        "The queue is full: " + waiting.size() + " jobs wait; try again later", retryAfterSeconds());
            }
            Job job = new Job(++lastId, task, retry);
            job.wanted(1);
            waiting.add(job);
            tellPositions();
            lock.notifyAll();
            return new Ticket(this, job, false);
        }
    }

    private Ticket join(Job job) {
        requireThread();
        if (job.wanted() >= MOST_JOINED) {
            listener.refused();
            throw new QueueFullException(
                    MOST_JOINED + " requests wait for this very image already; try again later", retryAfterSeconds());
        }
        job.wanted(1);
        listener.joined(job);
        return new Ticket(this, job, true);
    }

    private void requireThread() {
        int tickets = all().mapToInt(Job::wanted).sum();
        if (tickets >= MOST_TICKETS) {
            listener.refused();
            throw new QueueFullException(
                    tickets + " requests wait for their images; try again later", retryAfterSeconds());
        }
    }

    private Stream<Job> all() {
        return Stream.concat(Stream.ofNullable(running), waiting.stream());
    }

    private int retryAfterSeconds() {
        double seconds = usualSeconds * Math.max(1, waiting.size() / 2.0);
        return (int) Math.max(1, Math.min(LONGEST_RETRY_SECONDS, Math.ceil(seconds)));
    }

    /** The job that runs; empty if none does. */
    public Optional<Job> running() {
        synchronized (lock) {
            return Optional.ofNullable(running);
        }
    }

    /** Jobs that wait. */
    public int length() {
        synchronized (lock) {
            return waiting.size();
        }
    }

    /** Whether the server is stopping. */
    public boolean isClosing() {
        synchronized (lock) {
            return closing;
        }
    }

    /** Ends the job that runs with what it has made, or, if that is nothing, with the image as far as it is. */
    public void interrupt() {
        running().ifPresent(job -> job.stop(Stop.INTERRUPT));
    }

    /** As {@link #interrupt()}, of a certain job; one that waits ends with nothing. */
    public void interrupt(long id) {
        synchronized (lock) {
            all().filter(job -> job.id() == id).findFirst().ifPresent(job -> {
                job.stop(job == running ? Stop.INTERRUPT : Stop.CANCEL);
                if (waiting.remove(job)) {
                    end(job, new Outcome(End.INTERRUPTED, List.of(), Optional.empty(), job.waited(), job.took()));
                    tellPositions();
                }
            });
        }
    }

    /** Ends the image that is made now; the job goes on with its next one. */
    public void skip() {
        running().ifPresent(job -> job.stop(Stop.SKIP));
    }

    /** Somebody does not want a job's images any more. */
    void giveUp(Job job) {
        synchronized (lock) {
            job.wanted(-1);
            if (job.wanted() > 0 || job.outcome().isDone()) {
                return;
            }
            job.stop(Stop.CANCEL);
            if (waiting.remove(job)) {
                end(job, cancelled(job));
                tellPositions();
            }
        }
    }

    /**
     * Takes no more jobs, and finishes those that there are. Those that are not done in time are cancelled.
     *
     * @param grace how long that may take
     */
    public void close(Duration grace) throws InterruptedException {
        long end = System.nanoTime() + grace.toNanos();
        synchronized (lock) {
            closing = true;
            lock.notifyAll();
            while (!Objects.isNull(running) || !waiting.isEmpty()) {
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    break;
                }
                lock.wait(left);
            }
            waiting.forEach(job -> end(job, cancelled(job)));
            waiting.clear();
            Stream.ofNullable(running).forEach(job -> job.stop(Stop.CANCEL));
        }
        thread.join(Math.max(1000, (end - System.nanoTime()) / 1_000_000));
    }

    private static Outcome cancelled(Job job) {
        return new Outcome(End.CANCELLED, List.of(), Optional.empty(), job.waited(), job.took());
    }

    private void work() {
        while (true) {
            Optional<Job> job;
            Optional<Runnable> errand;
            synchronized (lock) {
                while (errands.isEmpty() && waiting.isEmpty() && !closing) {
                    try {
                        lock.wait();
                    } catch (InterruptedException e) {
                        return; // nobody interrupts it but who ends the JVM
                    }
                }
                errand = Optional.ofNullable(errands.poll());
                job = errand.isPresent() ? Optional.empty() : Optional.ofNullable(waiting.poll());
                running = job.orElse(null);
                tellPositions();
                if (errand.isEmpty() && job.isEmpty()) {
                    break;
                }
            }
            errand.ifPresent(Runnable::run);
            job.ifPresent(this::carryOut);
        }
        shelf.unload();
    }

    private void carryOut(Job job) {
        job.started();
        Outcome outcome;
        try {
            outcome = new JobRun(job, shelf.pipeline(job.task().model())).run();
        } catch (RuntimeException | Error e) { // whatever it is, the next job is none the worse for it
            outcome = new Outcome(End.FAILED, List.of(), Optional.of(e), job.waited(), job.took());
        }
        synchronized (lock) {
            if (outcome.end() == End.DONE) {
                usualSeconds = (usualSeconds == FIRST_GUESS_SECONDS ? 1 : 0.3) * seconds(job.took())
                        + (usualSeconds == FIRST_GUESS_SECONDS ? 0 : 0.7) * usualSeconds;
            }
            // both at once: who has the answer finds the server idle, and who asks for the same meanwhile is given it
            end(job, outcome);
            running = null;
            lock.notifyAll();
        }
    }

    private void end(Job job, Outcome outcome) {
        listener.ended(job, outcome);
        job.ended(outcome);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    private void tellPositions() {
        int position = running == null ? 0 : 1;
        for (Job job : waiting) {
            job.queued(position++);
        }
    }
}
