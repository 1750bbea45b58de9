package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Result;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.Optional;

/**
 * An image that was made with a setting of merging.
 *
 * @param result what the pipeline gave
 * @param image the result's image
 * @param times what its parts took
 * @param took from the call of the pipeline to its return
 * @param map which tokens were merged; empty if that was not asked for, or the run never came to that step
 */
public record Made(Result result, BufferedImage image, Times times, Duration took, Optional<MergeMap> map) {}
