package io.tome4j.cli;

import io.tome4j.evaluation.tune.Trial;
import io.tome4j.evaluation.tune.Tuning;
import io.tome4j.merging.ToMeOptions;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Shows the settings that are tried, each with its steps and what came of it. */
final class TuneProgress implements Tuning.Listener, AutoCloseable {
    private final PrintWriter err;
    private final boolean terminal;
    private final BooleanSupplier goOn;
    private Optional<StepProgress> steps = Optional.empty();

    TuneProgress(PrintWriter err, boolean terminal, BooleanSupplier goOn) {
        this.err = err;
        this.terminal = terminal;
        this.goOn = goOn;
    }

    @Override
    public void onTrial(int number, Optional<ToMeOptions> options) {
        close();
        err.println("Setting " + number + ": " + MergingArguments.of(options));
    }

    @Override
    public void onResult(Trial trial) {
        close();
        err.println(String.format(Locale.ROOT, "  %.3f s an image, SSIM %.4f", trial.seconds(), trial.ssim()));
    }

    @Override
    public boolean onStep(Progress progress) {
        if (progress.done() > 0) {
            if (steps.isEmpty()) {
                steps = Optional.of(new StepProgress(err, terminal, () -> true));
            }
            steps.get().onStep(progress);
            if (progress.done() == progress.total()) {
                close();
            }
        }
        return goOn.getAsBoolean();
    }

    @Override
    public void close() {
        steps.ifPresent(StepProgress::close);
        steps = Optional.empty();
    }
}
