package io.tome4j.cli.session;

import io.tome4j.diffusion.StepListener;
import java.time.Duration;

/** Shows how many images are done, and how long the rest will take, until the user stops them. */
public class ImageProgress implements StepListener, AutoCloseable {
    private final Session session;
    private final ProgressDisplay display;
    private int made;
    private Duration making = Duration.ZERO;

    protected ImageProgress(Session session) {
        this.session = session;
        this.display = new ProgressDisplay(session.err(), "image");
    }

    @Override
    public final boolean onStep(Progress progress) {
        return session.goesOn();
    }

    /** How many have been made by now. */
    protected final int made() {
        return made;
    }

    /**
     * Shows that another image has been made.
     *
     * @param took how long that took
     * @param kept how many others count that were there already
     * @param total how many it will be at the end, at the least
     */
    protected final void onMade(Duration took, int kept, int total) {
        made++;
        making = making.plus(took);
        int done = kept + made;
        display.show(done, Math.max(total, done), making.toNanos() / 1e9 / made);
    }

    /** Says something about the images, before the first is made. */
    protected final void say(String line) {
        session.err().println(line);
    }

    @Override
    public final void close() {
        display.close();
    }
}
