package io.tome4j.cli.session;

import java.time.Duration;

/** Shows how many images are done, and how long the rest will take. */
public final class ImageProgress implements AutoCloseable {
    private final ProgressDisplay display;
    private int made;
    private Duration making = Duration.ZERO;

    ImageProgress(ProgressDisplay display) {
        this.display = display;
    }

    /** How many have been made by now. */
    public int made() {
        return made;
    }

    /**
     * An image has been made.
     *
     * @param took how long that took
     * @param before how many others count that were there already
     * @param total how many it will be at the end, at the least
     */
    public void onMade(Duration took, int before, int total) {
        made++;
        making = making.plus(took);
        int done = before + made;
        display.show(done, Math.max(total, done), making.toNanos() / 1e9 / made);
    }

    @Override
    public void close() {
        display.close();
    }
}
