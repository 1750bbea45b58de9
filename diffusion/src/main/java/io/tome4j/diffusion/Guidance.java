package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Classifier-free guidance (arXiv 2207.12598): the model predicts with and without the prompt, in one batch, and the result
 * goes beyond the difference. It may be on in a part of the steps alone (arXiv 2404.07724); in the others the model predicts
 * with the prompt alone, on half the batch.
 *
 * @param scale how far; 1 or less is no guidance: the model predicts with the prompt alone
 * @param from where it begins, as a share of the steps, in [0, 1]
 * @param to where it ends, likewise; above {@code from}
 * @param rescale how far the result's deviation goes back to that of the prediction with the prompt, in [0, 1] (arXiv
 *     2305.08891, section 3.4)
 */
public record Guidance(double scale, double from, double to, double rescale) {
    /** None. */
    static final Guidance OFF = new Guidance(1);

    /** @throws OptionException if the interval has no step */
    public Guidance {
        if (!(from < to)) {
            throw new OptionException("{guidance_from} is " + from + " and {guidance_to} is " + to
                    + ": guidance begins before it ends; a {guidance_scale} of 1 is no guidance at all");
        }
    }

    /** Guidance in all steps. */
    public Guidance(double scale) {
        this(scale, 0, 1);
    }

    /** Guidance in an interval, not rescaled. */
    public Guidance(double scale, double from, double to) {
        this(scale, from, to, 0);
    }

    /** The guidance that a request asks for. */
    static Guidance of(Request request) {
        return new Guidance(
                request.guidanceScale(), request.guidanceFrom(), request.guidanceTo(), request.guidanceRescale());
    }

    /** Whether the model predicts without the prompt, too, in some steps at least. */
    public boolean isOn() {
        return scale > 1;
    }

    /** Whether there is no step in which it predicts with the prompt alone. */
    boolean isInAllSteps() {
        return isOn() && from == 0 && to == 1;
    }

    /**
     * The guidance of one step: this, or none.
     *
     * @param step from 0
     * @param steps in all; guidance begins and ends at the step that is nearest to the share
     */
    public Guidance at(int step, int steps) {
        return step >= Math.round(from * steps) && step < Math.round(to * steps) ? this : OFF;
    }

    /** How often the model's batch holds each image where guidance is on: first all without the prompt, then all with it. */
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
            Tensor guided =
                    conditional.sub(unconditional).mul_(new Scalar(scale)).add_(unconditional);
            return scope.release(rescale > 0 ? rescaled(guided, conditional) : guided);
        }
    }

    /** {@code [B, C, H, W]}. */
    private Tensor rescaled(Tensor guided, Tensor conditional) {
        Tensor same = guided.mul(deviation(conditional).div(deviation(guided)));
        return same.mul(new Scalar(rescale)).add_(guided.mul(new Scalar(1 - rescale)));
    }

    /** Of each image, {@code [B, 1, 1, 1]}. */
    private static Tensor deviation(Tensor x) {
        return x.std(new long[] {1, 2, 3}, true, true);
    }
}
