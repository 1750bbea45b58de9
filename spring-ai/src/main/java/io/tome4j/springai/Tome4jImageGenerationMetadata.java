package io.tome4j.springai;

import io.tome4j.diffusion.Result;
import io.tome4j.merging.PatchReport;
import org.springframework.ai.image.ImageGenerationMetadata;

/**
 * What one image was made with.
 *
 * @param seed its own seed: with it, the image can be made again alone
 * @param parameters all it was made from, in the form of A1111's web UI; the PNG carries it, too
 * @param merging what merging did to the tokens
 * @param timings how long the run took that it was made in, with all its images
 */
public record Tome4jImageGenerationMetadata(long seed, String parameters, PatchReport merging, Result.Timings timings)
        implements ImageGenerationMetadata {}
