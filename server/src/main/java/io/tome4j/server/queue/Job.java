package io.tome4j.server.queue;

import io.tome4j.diffusion.StepListener.Progress;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** A task on its way through the queue. */
public final class Job {
    /** Why it is to stop; what comes later overrides what came before. */
    enum Stop {
        NO,
        /** This image alone; the next one is made. */
        SKIP,
        /** With what there is. */
        INTERRUPT,
        /** With nothing. */
        CANCEL
    }

    /** No known client loses patience sooner. */
    private static final Duration IMPATIENT = Duration.ofSeconds(30);

    private static final Duration POLLED_PREVIEW = Duration.ofMillis(500);
    private static final Duration POLLED_LATELY = Duration.ofSeconds(10);

    private final long id;
    private final Task task;
    private final Optional<Retry> retry;
    private final long submitted = System.nanoTime();
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final List<JobEvents> listeners = new CopyOnWriteArrayList<>();
    private volatile Stop stop = Stop.NO;
    private volatile long started;
    private volatile JobProgress progress;
    private final AtomicBoolean kept = new AtomicBoolean();
    private volatile Optional<BufferedImage> preview = Optional.empty();
    private volatile long lastPolled = System.nanoTime() - POLLED_LATELY.toNanos();
    private volatile long lastPreview = System.nanoTime() - POLLED_PREVIEW.toNanos();
    private int wanted; // by so many; the queue's lock guards it

    Job(long id, Task task, Optional<Retry> retry) {
        this.id = id;
        this.task = task;
        this.retry = retry;
        this.progress = new JobProgress(0, 0, task.images().size(), 0, 0, 0, OptionalDouble.empty());
    }

    /** Its number, from 1. */
    public long id() {
        return id;
    }

    public Task task() {
        return task;
    }

    public JobProgress progress() {
        return progress;
    }

    /** What the image looked like lately, for one who asks from time to time; empty if there is no preview yet. */
    public Optional<BufferedImage> polledPreview() {
        lastPolled = System.nanoTime();
        return preview;
    }

    /** Whether it was interrupted. */
    public boolean isInterrupted() {
        return stop == Stop.INTERRUPT;
    }

    /** Whether nobody has kept its images yet: of those that want it, the first to ask is to do it. */
    public boolean isToBeKept() {
        return !kept.getAndSet(true);
    }

    CompletableFuture<Outcome> outcome() {
        return outcome;
    }

    Stop stop() {
        return stop;
    }

    synchronized void stop(Stop reason) {
        if (reason.compareTo(stop) > 0) {
            stop = reason;
        }
    }

    /** Goes on with the next image after one was skipped. */
    synchronized void skipped() {
        if (stop == Stop.SKIP) {
            stop = Stop.NO;
        }
    }

    synchronized JobEvents listen(PreviewPlan plan) {
        JobEvents events = new JobEvents(plan);
        listeners.add(events);
        events.progressed(progress);
        if (outcome.isDone()) {
            events.ended(outcome.join());
        }
        return events;
    }

    synchronized void ended(Outcome value) {
        outcome.complete(value);
        listeners.forEach(listener -> listener.ended(value));
    }

    /** Whether a request without a seed is this one's, asked again by one who lost patience. */
    boolean isAskedAgain(Optional<Retry> other) {
        return retry.isPresent()
                && other.isPresent()
                && retry.get().key().equals(other.get().key())
                && (other.get().isSaid() || System.nanoTime() - submitted > IMPATIENT.toNanos());
    }

    void leave(JobEvents events) {
        listeners.remove(events);
    }

    /** How many want its images. */
    int wanted() {
        return wanted;
    }

    void wanted(int change) {
        wanted += change;
    }

    void queued(int position) {
        told(new JobProgress(position, 0, task.images().size(), 0, 0, 0, OptionalDouble.empty()));
    }

    void started() {
        started = System.nanoTime();
        queued(0);
    }

    Duration waited() {
        return Duration.ofNanos((started == 0 ? System.nanoTime() : started) - submitted);
    }

    Duration took() {
        return started == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - started);
    }

    void stepped(int image, Progress step) {
        long inAll = (long) task.images().size() * step.total();
        long done = (long) image * step.total() + step.done();
        double left = took().toNanos() / 1e9 / Math.max(1, done) * (inAll - done);
        told(new JobProgress(
                0,
                image,
                task.images().size(),
                step.done(),
                step.total(),
                (double) done / inAll,
                OptionalDouble.of(left)));
    }

    private void told(JobProgress now) {
        progress = now;
        listeners.forEach(listener -> listener.progressed(now));
    }

    /** Makes a preview if anybody wants one now. */
    void preview(int image, Progress step, Supplier<BufferedImage> maker) {
        long inAll = (long) task.images().size() * step.total();
        long done = (long) image * step.total() + step.done();
        long now = System.nanoTime();
        boolean polled = now - lastPolled < POLLED_LATELY.toNanos() && now - lastPreview >= POLLED_PREVIEW.toNanos();
        List<JobEvents> wanting = listeners.stream()
                .filter(listener -> listener.wantsPreview(done, inAll))
                .toList();
        if (!polled && wanting.isEmpty()) {
            return;
        }
        BufferedImage shown = maker.get();
        preview = Optional.of(shown);
        lastPreview = now;
        wanting.forEach(listener -> listener.previewed(shown));
    }
}
