package io.tome4j.cli.evaluate;

import io.tome4j.cli.session.ImageProgress;
import io.tome4j.cli.session.Session;
import io.tome4j.evaluation.quality.Evaluation;
import io.tome4j.evaluation.quality.Row;
import java.time.Duration;
import java.util.Optional;

/** Shows how many of the images that are missing have been made. */
final class QualityProgress implements Evaluation.Listener, AutoCloseable {
    private final Session session;
    private final ImageProgress images;
    private int missing;

    QualityProgress(Session session) {
        this.session = session;
        this.images = session.images();
    }

    @Override
    public void onBegin(int kept, int toMake) {
        missing = toMake;
        if (kept > 0) {
            session.err().println(kept + " images are there already, " + toMake + " are to be made");
        }
    }

    @Override
    public boolean onStep(Progress progress) {
        return session.goesOn();
    }

    @Override
    public void onImage(Row row, Optional<Duration> took) {
        took.ifPresent(duration -> images.onMade(duration, 0, missing)); // more if one that was there is damaged
    }

    @Override
    public void close() {
        images.close();
    }
}
