package io.tome4j.diffusion;

import java.awt.image.BufferedImage;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Images of full size that the VAE for previews decodes.
 *
 * @param pipeline which owns that VAE
 */
record DecodedPreview(StableDiffusionPipeline pipeline) implements LatentPreview {
    @Override
    public List<BufferedImage> images(Tensor latents) {
        return pipeline.decodedPreview(latents);
    }
}
