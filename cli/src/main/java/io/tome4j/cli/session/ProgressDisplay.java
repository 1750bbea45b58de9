package io.tome4j.cli.session;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;

/** Shows how far work has come, and how long it will take: a bar on a terminal, a line now and then elsewhere. */
final class ProgressDisplay implements AutoCloseable {
    private static final long BETWEEN_LINES = TimeUnit.SECONDS.toNanos(10);
    private static final int BAR_WIDTH = 24;

    private final PrintWriter err;
    private final boolean terminal;
    private final String unit;
    private Optional<ProgressBar> bar = Optional.empty();
    private boolean begun;
    private long lastLine;
    private volatile String shown = "";

    /** @param unit what is counted, such as {@code step} */
    ProgressDisplay(PrintWriter err, String unit) {
        this.err = err;
        this.terminal = onTerminal();
        this.unit = unit;
    }

    /** Whether stderr is a terminal: Java cannot tell, the launcher can. */
    static boolean onTerminal() {
        return Boolean.getBoolean("tome4j.terminal");
    }

    /**
     * @param seconds what one unit takes
     */
    void show(int done, int total, double seconds) {
        shown = String.format(
                Locale.ROOT,
                "%s %d of %d, %.2f s/%s, %s left",
                unit,
                done,
                total,
                seconds,
                unit,
                duration(seconds * (total - done)));
        if (terminal) {
            showBar(done, total);
            return;
        }
        long now = System.nanoTime();
        if (!begun || done == total || now - lastLine >= BETWEEN_LINES) {
            begun = true;
            lastLine = now;
            err.println(shown);
        }
    }

    private void showBar(int done, int total) {
        if (bar.isEmpty()) {
            bar = Optional.of(new ProgressBarBuilder()
                    .setInitialMax(total)
                    .setUpdateIntervalMillis(200)
                    .setRenderer((state, width) -> barOf(state.getCurrent(), state.getMax()) + " " + shown)
                    .setConsumer(new ToTerminal(err))
                    .build());
        }
        bar.get().stepTo(done);
    }

    private static String barOf(long done, long total) {
        int filled = (int) (BAR_WIDTH * done / Math.max(1, total));
        return "[" + "#".repeat(filled) + ".".repeat(BAR_WIDTH - filled) + "]";
    }

    static String duration(double seconds) {
        long whole = Math.round(seconds);
        return whole < 60 ? whole + " s" : String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
    }

    /** Ends the bar; what is shown next begins another. */
    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
        bar = Optional.empty();
        begun = false;
    }

    private record ToTerminal(PrintWriter err) implements ProgressBarConsumer {
        @Override
        public int getMaxRenderedLength() {
            return 79;
        }

        @Override
        public void accept(String rendered) {
            err.print("\r" + rendered + "   ");
            err.flush();
        }

        @Override
        public void close() {
            err.println();
        }
    }
}
