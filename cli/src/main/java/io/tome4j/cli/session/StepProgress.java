package io.tome4j.cli.session;

import io.tome4j.diffusion.StepListener;
import java.util.function.BooleanSupplier;

/** Shows the denoising steps of an image, or of one image after another. */
public final class StepProgress implements StepListener, AutoCloseable {
    private final ProgressDisplay display;
    private final BooleanSupplier goOn;

    StepProgress(ProgressDisplay display, BooleanSupplier goOn) {
        this.display = display;
        this.goOn = goOn;
    }

    @Override
    public boolean onStep(Progress progress) {
        if (progress.done() > 0) {
            display.show(progress.done(), progress.total(), progress.elapsed().toNanos() / 1e9 / progress.done());
            if (progress.done() == progress.total()) {
                close();
            }
        }
        return goOn.getAsBoolean();
    }

    /** Ends the image's line; the next step begins another. */
    @Override
    public void close() {
        display.close();
    }
}
