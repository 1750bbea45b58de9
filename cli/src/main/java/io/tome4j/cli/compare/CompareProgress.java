package io.tome4j.cli.compare;

import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.StepProgress;
import io.tome4j.evaluation.compare.Comparison;

/** Shows the images of a comparison, each with its steps. */
final class CompareProgress extends StepProgress implements Comparison.Listener {
    CompareProgress(Session session, int asked) {
        super(session, asked);
    }

    @Override
    public void onImage(int number, int images, String label) {
        say(
                number == 0
                        ? "Warm-up: a step of each kind, thrown away, so that the first images' times are as fair as the others'"
                        : "Image " + number + " of " + images + ": " + label);
    }
}
