package io.tome4j.cli.session;

import java.io.PrintWriter;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Ctrl-C while images are made: the run ends after the step it is in, or at once if that takes long; a file that is being
 * written is finished first. The JVM's own exit status then is 130, or 143 when it was terminated.
 */
final class Interruption implements AutoCloseable {
    private static final long LONGEST_WAIT_SECONDS = 5;

    private final PrintWriter err;
    private final ReentrantLock writing = new ReentrantLock();
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "tome-stop");
    private final Runnable cleanup;
    private volatile boolean stopped;
    private volatile String outcome;

    private Interruption(PrintWriter err, String outcome, Runnable cleanup) {
        this.err = err;
        this.outcome = outcome;
        this.cleanup = cleanup;
    }

    /**
     * @param outcome what to say if it is stopped before anything is {@linkplain #writing written}
     * @param cleanup runs after the last file, if it is stopped
     */
    static Interruption watch(PrintWriter err, String outcome, Runnable cleanup) {
        Interruption interruption = new Interruption(err, outcome, cleanup);
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    boolean isStopped() {
        return stopped;
    }

    /**
     * Runs what must not be cut off.
     *
     * @throws CancellationException if it is stopped already
     */
    void writing(Runnable write) {
        writing.lock();
        try {
            if (stopped) {
                throw new CancellationException("Stopped before writing");
            }
            write.run();
            outcome = "what was complete has been written";
        } finally {
            writing.unlock();
        }
    }

    private void stop() {
        stopped = true;
        try {
            if (!done.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS)) {
                writing.lock(); // and keep it: no other file begins
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        cleanup.run();
        err.println();
        err.println("tome: stopped; " + outcome + ".");
        err.flush();
    }

    @Override
    public void close() {
        done.countDown();
        if (!stopped) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                stopped = true; // it has begun just now, and tells the rest itself
            }
        }
    }
}
