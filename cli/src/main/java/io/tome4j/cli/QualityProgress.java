package io.tome4j.cli;

import io.tome4j.evaluation.quality.Evaluation;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Shows how many of the images that are missing have been made. */
final class QualityProgress implements Evaluation.Listener, AutoCloseable {
    private final ProgressDisplay display;
    private final PrintWriter err;
    private final BooleanSupplier goOn;
    private int missing;
    private int made;
    private Duration making = Duration.ZERO;

    QualityProgress(PrintWriter err, boolean terminal, BooleanSupplier goOn) {
        this.display = new ProgressDisplay(err, terminal, "image");
        this.err = err;
        this.goOn = goOn;
    }

    @Override
    public void onBegin(int kept, int toMake) {
        missing = toMake;
        if (kept > 0) {
            err.println(kept + " images are there already, " + toMake + " are to be made");
        }
    }

    @Override
    public boolean onStep(Progress progress) {
        return goOn.getAsBoolean();
    }

    @Override
    public void onImage(String name, Optional<Duration> took) {
        if (took.isPresent()) {
            made++;
            missing = Math.max(missing, made); // one that was there can turn out to be damaged
            making = making.plus(took.get());
            display.show(made, missing, making.toNanos() / 1e9 / made);
        }
    }

    @Override
    public void close() {
        display.close();
    }
}
