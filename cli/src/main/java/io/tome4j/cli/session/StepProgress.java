package io.tome4j.cli.session;

import io.tome4j.diffusion.StepListener;

/** Shows the denoising steps of an image, or of one image after another, until the user stops them. */
public class StepProgress implements StepListener, AutoCloseable {
    private final Session session;
    private final ProgressDisplay display;

    public StepProgress(Session session) {
        this.session = session;
        this.display = new ProgressDisplay(session.err(), "step");
    }

    @Override
    public final boolean onStep(Progress progress) {
        if (progress.done() > 0) {
            display.show(progress.done(), progress.total(), progress.elapsed().toNanos() / 1e9 / progress.done());
            if (progress.done() == progress.total()) {
                close(); // the next step is another image's
            }
        }
        return session.goesOn();
    }

    /** Says what comes next, or came of it, on a line of its own. */
    protected final void say(String line) {
        close();
        session.err().println(line);
    }

    @Override
    public final void close() {
        display.close();
    }
}
