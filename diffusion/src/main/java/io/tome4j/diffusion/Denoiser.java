package io.tome4j.diffusion;

import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.FeatureReuse;
import io.tome4j.models.unet.FeatureReuse.Pass;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.OptionException;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** The network that predicts, at a timestep, what is noise in the latents. */
public interface Denoiser extends MergeableModel {
    /** A denoiser that has seen the text and the timesteps of a run. */
    @FunctionalInterface
    interface Conditioned {
        /**
         * One forward pass.
         *
         * @param latents as the scheduler scaled them, {@code [B, C, H, W]} fp32; of a text with more rows, the last
         *     {@code B} are used
         * @param timestep one of those conditioned for
         * @param context what the blocks are to merge
         * @param pass whether deep features of a pass before are used, or kept for later ones
         * @return {@code [B, C, H, W]} fp32 on the CPU, in the open scope
         */
        Tensor predict(Tensor latents, double timestep, MergeContext context, Pass pass);
    }

    /**
     * Computes once what all steps of a run have in common.
     *
     * @param text what to condition on, of {@code B} rows
     * @param timesteps all that there will be
     * @return what predicts in this run; it belongs to the open scope
     */
    Conditioned condition(TextConditioning text, double... timesteps);

    /**
     * Opens the reuse of deep features in a run; whoever opens it closes it.
     *
     * @param branch where they are cut off, from 0, the branch that saves most
     * @throws io.tome4j.tensor.OptionException if there is no such branch
     */
    FeatureReuse reuse(int branch);

    /**
     * Whether the network was distilled from a guided one, so that it is told how strongly to follow the prompt and needs no
     * prediction without it.
     */
    default boolean isToldGuidance() {
        return false;
    }

    /**
     * This denoiser, told how strongly to follow the prompt; for one that {@linkplain #isToldGuidance wants to know}.
     *
     * @param scale as for classifier-free guidance: 1 is none
     */
    default Denoiser guided(double scale) {
        return this;
    }

    /** The same steered by networks that see images. @throws io.tome4j.tensor.OptionException if this kind cannot be */
    default Denoiser steered(Steering steering) {
        throw new OptionException("{controlnet} and the like are for models with a UNet");
    }

    /** What its UNet was built from; empty if it has none. */
    default Optional<UNetConfig> unetConfig() {
        return Optional.empty();
    }

    /** Channels of the latents. */
    int latentChannels();

    /** Channels that it is given: those of the latents, or more, if it is shown a mask and a masked image, too. */
    default int inputChannels() {
        return latentChannels();
    }

    /** Bytes of the weights. */
    long weightBytes();

    /**
     * Bytes that a forward pass needs besides the weights, about.
     *
     * @param batch rows of the batch: with guidance, two an image
     * @param latents rows and columns of the latents
     * @param kernel how attention would be computed
     */
    long forwardBytes(long batch, TokenGrid latents, AttentionKernel kernel);
}
