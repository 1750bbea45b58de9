package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What latents look like during a run: small images, a pixel a latent, that cost next to nothing; or, where a pipeline was given
 * a VAE for that ({@link PipelineOptions#previewVae}), images of full size that it decodes.
 *
 * <pre>{@code
 * LatentPreview preview = LatentPreview.of(pipeline);
 * pipeline.generate(request, progress -> {
 *     show(preview.image(progress.original()));
 *     return true;
 * });
 * }</pre>
 */
public sealed interface LatentPreview permits LinearPreview, DecodedPreview {
    /**
     * The preview of a pipeline's latents. The first time, small images of patches of colour are encoded and decoded, unless the
     * pipeline has a VAE for previews, with which it works as long as the pipeline is open. A run that another thread has begun
     * is waited for.
     *
     * @throws IllegalStateException if the pipeline is closed
     */
    static LatentPreview of(StableDiffusionPipeline pipeline) {
        return pipeline.preview();
    }

    /**
     * The preview of the first image's latents.
     *
     * @param latents {@code [B, C, h, w]}: best {@link StepListener.Progress#original}, which has no noise
     * @return of {@code h} rows and {@code w} columns, or of {@code 8h} and {@code 8w}
     * @throws IllegalArgumentException if the latents have another shape
     */
    default BufferedImage image(Tensor latents) {
        try (var scope = TensorScope.open()) {
            boolean several = latents.dim() == 4 && latents.size(0) > 1;
            return images(several ? Tensors.slice(latents, 0, 0, 1) : latents).get(0);
        }
    }

    /** As {@link #image}, of all images of a batch. */
    List<BufferedImage> images(Tensor latents);
}
