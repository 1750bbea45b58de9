package io.tome4j.cli;

import io.tome4j.diffusion.StepListener;
import java.io.PrintWriter;
import java.util.function.BooleanSupplier;

/** Shows denoising steps. */
final class StepProgress implements StepListener, AutoCloseable {
    private final ProgressDisplay display;
    private final BooleanSupplier goOn;

    StepProgress(PrintWriter err, boolean terminal, BooleanSupplier goOn) {
        this.display = new ProgressDisplay(err, terminal, "step");
        this.goOn = goOn;
    }

    @Override
    public boolean onStep(Progress progress) {
        display.show(progress.done(), progress.total(), progress.elapsed().toNanos() / 1e9 / progress.done());
        return goOn.getAsBoolean();
    }

    @Override
    public void close() {
        display.close();
    }
}
