package io.tome4j.cli.compare;

import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.StepProgress;
import io.tome4j.evaluation.compare.Comparison;
import java.io.PrintWriter;

/** Shows the images of a comparison, each with its steps. */
final class CompareProgress implements Comparison.Listener, AutoCloseable {
    private final PrintWriter err;
    private final StepProgress steps;

    CompareProgress(Session session) {
        this.err = session.err();
        this.steps = session.steps();
    }

    @Override
    public void onImage(int number, int images, String label) {
        steps.close();
        err.println(
                number == 0
                        ? "Warm-up: one step, thrown away, so that the first image's time is as fair as the others'"
                        : "Image " + number + " of " + images + ": " + label);
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
