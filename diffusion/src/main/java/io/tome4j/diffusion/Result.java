package io.tome4j.diffusion;

import io.tome4j.merging.PatchReport;
import java.time.Duration;
import java.util.List;

/**
 * What came of a request.
 *
 * @param images all images: those of the first prompt, then those of the second, and so on
 * @param latents the final latents, {@code [images, 4, height/8, width/8]}, as the decoder got them but for its scaling
 * @param request the request as it was carried out: sizes, scheduler and merging are no longer left to the model
 * @param merging what merging did to the tokens
 * @param timings how long it took
 * @param droppedWords for each prompt what did not fit into the text encoder's 77 tokens; empty where all did
 * @param warnings what of the request had no effect, or none as meant: what of LoRAs fits nothing in the model, many steps of a
 *     model for few
 * @param tiled whether the images were decoded in tiles, which gives nearly the same images
 */
public record Result(
        List<Image> images,
        Latents latents,
        Request request,
        PatchReport merging,
        Timings timings,
        List<String> droppedWords,
        List<String> warnings,
        boolean tiled) {

    /**
     * Wall-clock times.
     *
     * @param textEncoding of all prompts
     * @param steps of each denoising step, the network and the scheduler
     * @param decoding of all images
     */
    public record Timings(Duration textEncoding, List<Duration> steps, Duration decoding) {}

    /** The first image. */
    public Image image() {
        return images.get(0);
    }
}
