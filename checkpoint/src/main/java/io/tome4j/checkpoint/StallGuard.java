package io.tome4j.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Closes a stream that brings nothing for a while: a read of {@code java.net.http} would wait for ever. */
final class StallGuard implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Thread watcher;
    private volatile long lastSign = System.nanoTime();

    StallGuard(InputStream watched) {
        this.watcher = new Thread(() -> watch(watched), "tome4j-stall-guard");
        watcher.setDaemon(true);
        watcher.start();
    }

    /** Something came. */
    void alive() {
        lastSign = System.nanoTime();
    }

    private void watch(InputStream watched) {
        try {
            while (System.nanoTime() - lastSign < PATIENCE.toNanos()) {
                Thread.sleep(1000);
            }
            watched.close();
        } catch (InterruptedException | IOException e) {
            // closed in time, or already broken: either way there is nothing to guard
        }
    }

    @Override
    public void close() {
        watcher.interrupt();
    }
}
