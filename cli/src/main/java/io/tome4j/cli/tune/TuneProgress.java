package io.tome4j.cli.tune;

import io.tome4j.cli.options.MergingArguments;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.StepProgress;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.evaluation.tune.Trial;
import io.tome4j.evaluation.tune.Tuning;
import java.util.Locale;

/** Shows the settings that are tried, each with its steps and what came of it. */
final class TuneProgress extends StepProgress implements Tuning.Listener {
    TuneProgress(Session session, int asked) {
        super(session, asked);
    }

    @Override
    public void onTrial(int number, Savings savings) {
        say("Setting " + number + ": " + MergingArguments.of(savings));
    }

    @Override
    public void onBaselineAgain() {
        say("The first image once more, in case the machine has become slower or quicker meanwhile");
    }

    @Override
    public void onResult(Trial trial) {
        say(String.format(Locale.ROOT, "  %.3f s an image, SSIM %.4f", trial.seconds(), trial.ssim()));
    }
}
