package io.tome4j.diffusion;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Classifier-free guidance (arXiv 2207.12598): the model predicts with and without the prompt, in one batch, and the result
 * goes beyond the difference.
 *
 * @param scale how far; 1 or less is no guidance: the model predicts with the prompt alone
 */
public record Guidance(double scale) {
    /** Whether the model predicts without the prompt, too. */
    public boolean isOn() {
        return scale > 1;
    }

    /** How often the model's batch holds each image: first all without the prompt, then all with it. */
    public int copies() {
        return isOn() ? 2 : 1;
    }

    /**
     * What the model sees of the latents.
     *
     * @param latents {@code [B, C, H, W]}
     * @return {@code [copies * B, C, H, W]}
     */
    public Tensor inputs(Tensor latents) {
        return isOn() ? Tensors.cat(0, latents, latents) : latents;
    }

    /**
     * What the scheduler sees of the model's prediction.
     *
     * @param predicted {@code [copies * B, C, H, W]} fp32
     * @return {@code [B, C, H, W]} fp32
     */
    public Tensor combine(Tensor predicted) {
        if (!isOn()) {
            return predicted;
        }
        try (var scope = TensorScope.open()) {
            long images = predicted.size(0) / 2;
            Tensor unconditional = Tensors.slice(predicted, 0, 0, images);
            Tensor conditional = Tensors.slice(predicted, 0, images, 2 * images);
            return scope.release(
                    conditional.sub(unconditional).mul_(new Scalar(scale)).add_(unconditional));
        }
    }
}
