package io.tome4j.cli.tune;

import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.StepProgress;
import io.tome4j.evaluation.tune.Trial;
import io.tome4j.evaluation.tune.Tuning;
import io.tome4j.merging.ToMeOptions;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;

/** Shows the settings that are tried, each with its steps and what came of it. */
final class TuneProgress implements Tuning.Listener, AutoCloseable {
    private final PrintWriter err;
    private final StepProgress steps;

    TuneProgress(Session session) {
        this.err = session.err();
        this.steps = session.steps();
    }

    @Override
    public void onTrial(int number, Optional<ToMeOptions> options) {
        steps.close();
        err.println("Setting " + number + ": " + MergingArguments.of(options));
    }

    @Override
    public void onResult(Trial trial) {
        steps.close();
        err.println(String.format(Locale.ROOT, "  %.3f s an image, SSIM %.4f", trial.seconds(), trial.ssim()));
    }

    @Override
    public boolean onStep(Progress progress) {
        return steps.onStep(progress);
    }

    @Override
    public void close() {
        steps.close();
    }
}
