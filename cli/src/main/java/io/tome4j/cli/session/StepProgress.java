package io.tome4j.cli.session;

import io.tome4j.diffusion.StepListener;

/** Shows the denoising steps of an image, or of one image after another, until the user stops them. */
public class StepProgress implements StepListener, AutoCloseable {
    private final Session session;
    private final ProgressDisplay display;
    private final int asked;
    private boolean explained;

    /** @param asked how many steps were asked for */
    public StepProgress(Session session, int asked) {
        this.session = session;
        this.asked = asked;
        this.display = new ProgressDisplay(session.err(), "step");
    }

    @Override
    public final boolean onStep(Progress progress) {
        if (progress.total() > asked && !explained) {
            explained = true;
            say("The scheduler calls the model " + progress.total() + " times for " + asked
                    + (asked == 1 ? " step" : " steps") + "; each call is counted as a step here");
        }
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
