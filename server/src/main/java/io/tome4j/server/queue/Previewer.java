package io.tome4j.server.queue;

import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener.Progress;
import java.awt.image.BufferedImage;
import java.util.Optional;

/** Shows roughly what latents will look like. */
@FunctionalInterface
public interface Previewer {
    /** Shows nothing. */
    Previewer NONE = (pipeline, progress) -> Optional.empty();

    /** @return a small image; empty if there is none of this model */
    Optional<BufferedImage> preview(StableDiffusionPipeline pipeline, Progress progress);
}
