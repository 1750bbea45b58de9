package io.tome4j.cli;

import io.tome4j.evaluation.compare.Comparison;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Shows the images of a comparison, each with its steps. */
final class CompareProgress implements Comparison.Listener, AutoCloseable {
    private final PrintWriter err;
    private final boolean terminal;
    private final BooleanSupplier goOn;
    private Optional<StepProgress> steps = Optional.empty();

    CompareProgress(PrintWriter err, boolean terminal, BooleanSupplier goOn) {
        this.err = err;
        this.terminal = terminal;
        this.goOn = goOn;
    }

    @Override
    public void onImage(int number, int images, String label) {
        close();
        err.println(
                number == 0
                        ? "Warm-up: a step of each kind, thrown away, so that the first images' times are as fair as the others'"
                        : "Image " + number + " of " + images + ": " + label);
    }

    @Override
    public boolean onStep(Progress progress) {
        if (progress.done() == 0) {
            return goOn.getAsBoolean();
        }
        if (steps.isEmpty()) {
            steps = Optional.of(new StepProgress(err, terminal, goOn));
        }
        return steps.get().onStep(progress);
    }

    @Override
    public void close() {
        steps.ifPresent(StepProgress::close);
        steps = Optional.empty();
    }
}
