package io.tome4j.server.queue;

import java.util.OptionalDouble;

/**
 * How far a job is.
 *
 * @param position jobs before it, the running one included; 0 once it runs
 * @param image which of its images is made, from 0
 * @param images how many there will be
 * @param step steps done of this image
 * @param steps steps of an image; 0 before the first is done
 * @param share of all its work that is done, from 0 to 1
 * @param secondsLeft an estimate; empty before the first step is done
 */
public record JobProgress(
        int position, int image, int images, int step, int steps, double share, OptionalDouble secondsLeft) {}
