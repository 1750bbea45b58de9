package io.tome4j.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Closes a stream that brings nothing for a while: a read of {@code java.net.http} would wait for ever. */
final class StallGuard implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** After which a user wants to know what is waited for. */
    private static final Duration SLOW = Duration.ofSeconds(3);

    private final Thread watcher;
    private final Runnable onSlow;
    private volatile long lastSign = System.nanoTime();

    /** @param onSlow called, on a thread of its own, when nothing came for some seconds; once for each time that happens */
    StallGuard(InputStream watched, Runnable onSlow) {
        this.onSlow = onSlow;
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
            long toldAt = 0; // the last sign before the silence that was told of
            while (System.nanoTime() - lastSign < PATIENCE.toNanos()) {
                long last = lastSign;
                if (System.nanoTime() - last > SLOW.toNanos() && last != toldAt) {
                    toldAt = last;
                    onSlow.run();
                }
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
