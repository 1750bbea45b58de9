package io.tome4j.cli.evaluate;

import io.tome4j.cli.session.ImageProgress;
import io.tome4j.cli.session.Session;
import io.tome4j.evaluation.quality.Evaluation;
import java.time.Duration;
import java.util.Optional;

/** Shows how many of the images that are missing have been made. */
final class QualityProgress extends ImageProgress implements Evaluation.Listener {
    private int missing;

    QualityProgress(Session session) {
        super(session);
    }

    @Override
    public void onBegin(int kept, int toMake) {
        missing = toMake;
        if (kept > 0) {
            say(kept + " images are there already, " + toMake + " are to be made");
        }
    }

    @Override
    public void onImage(String name, Optional<Duration> took) {
        took.ifPresent(duration -> onMade(duration, 0, missing)); // and more, if one that was there is damaged
    }
}
