package io.tome4j.cli.session;

import io.tome4j.checkpoint.DownloadListener;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Shows downloads: a line that is drawn anew on a terminal, a line now and then elsewhere. */
public final class DownloadProgress implements DownloadListener {
    private static final long BETWEEN_DRAWINGS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long BETWEEN_LINES = TimeUnit.SECONDS.toNanos(15);

    private final PrintWriter err;
    private final boolean terminal;
    private String file = "";
    private long fileStart;
    private long startedWith;
    private long lastShown;

    public DownloadProgress(PrintWriter err) {
        this.err = err;
        this.terminal = ProgressDisplay.onTerminal();
    }

    @Override
    public void progress(String name, long done, long total) {
        long now = System.nanoTime();
        boolean begins = !name.equals(file);
        boolean ends = done == total;
        if (begins) {
            file = name;
            fileStart = now;
            startedWith = done;
        }
        if (!begins && !ends && now - lastShown < (terminal ? BETWEEN_DRAWINGS : BETWEEN_LINES)) {
            return;
        }
        lastShown = now;
        String line = "Downloading " + describe(done, total, (now - fileStart) / 1e9);
        if (terminal) {
            err.print("\r" + line + " ".repeat(Math.max(0, 79 - line.length())));
            if (ends) {
                err.println();
            }
            err.flush();
        } else {
            err.println(line);
        }
    }

    @Override
    public void warning(String message) {
        err.println("Warning: " + message);
    }

    @Override
    public void notice(String message) {
        err.println(message);
    }

    private String describe(long done, long total, double seconds) {
        String size = total < 0
                ? String.format(Locale.ROOT, "%.1f MB", done / 1e6)
                : String.format(Locale.ROOT, "%.1f of %.1f MB", done / 1e6, total / 1e6);
        double perSecond = (done - startedWith) / Math.max(seconds, 1e-3);
        if (done == total || total < 0 || perSecond <= 0 || seconds < 1) {
            return file + ": " + size;
        }
        return String.format(
                Locale.ROOT, "%s: %s, %.1f MB/s, %.0f s left", file, size, perSecond / 1e6, (total - done) / perSecond);
    }
}
