package io.tome4j.cli;

import io.tome4j.diffusion.StepListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;

/** Shows denoising steps: a bar on a terminal, a line now and then elsewhere. */
final class StepProgress implements StepListener, AutoCloseable {
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(10);
    private static final int BAR_WIDTH = 24;

    private final PrintWriter err;
    private final boolean terminal;
    private final BooleanSupplier goOn;
    private Optional<ProgressBar> bar = Optional.empty();
    private Duration lastLine = Duration.ZERO;
    private volatile String shown = "";

    StepProgress(PrintWriter err, boolean terminal, BooleanSupplier goOn) {
        this.err = err;
        this.terminal = terminal;
        this.goOn = goOn;
    }

    /** Whether stderr is a terminal: Java cannot tell, the launcher can. */
    static boolean onTerminal() {
        return Boolean.getBoolean("tome4j.terminal");
    }

    @Override
    public boolean onStep(Progress progress) {
        shown = describe(progress);
        if (terminal) {
            showBar(progress);
        } else if (progress.done() == 1
                || progress.done() == progress.total()
                || progress.elapsed().minus(lastLine).compareTo(BETWEEN_LINES) >= 0) {
            lastLine = progress.elapsed();
            err.println(shown);
        }
        return goOn.getAsBoolean();
    }

    private void showBar(Progress progress) {
        if (bar.isEmpty()) {
            bar = Optional.of(new ProgressBarBuilder()
                    .setInitialMax(progress.total())
                    .setUpdateIntervalMillis(200)
                    .setRenderer((state, width) -> picture(state.getCurrent(), state.getMax()) + " " + shown)
                    .setConsumer(new ToTerminal(err))
                    .build());
        }
        bar.get().stepTo(progress.done());
    }

    private static String picture(long done, long total) {
        int filled = (int) (BAR_WIDTH * done / Math.max(1, total));
        return "[" + "#".repeat(filled) + ".".repeat(BAR_WIDTH - filled) + "]";
    }

    private static String describe(Progress progress) {
        double perStep = progress.elapsed().toNanos() / 1e9 / progress.done();
        double left = perStep * (progress.total() - progress.done());
        return String.format(
                Locale.ROOT,
                "step %d of %d, %.2f s/step, %s left",
                progress.done(),
                progress.total(),
                perStep,
                duration(left));
    }

    private static String duration(double seconds) {
        long whole = Math.round(seconds);
        return whole < 60 ? whole + " s" : String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
    }

    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
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
