package io.tome4j.server.queue;

import java.awt.image.BufferedImage;

/** What a job's listeners are told. */
public sealed interface JobEvent {
    /** It is further than before. */
    record Progressed(JobProgress progress) implements JobEvent {}

    /**
     * What the image looks like by now.
     *
     * @param image small
     * @param index of the previews that this listener gets, from 0
     */
    record Previewed(BufferedImage image, int index) implements JobEvent {}

    /** It has ended. */
    record Ended(Outcome outcome) implements JobEvent {}
}
