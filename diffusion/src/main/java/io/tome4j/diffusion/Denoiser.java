package io.tome4j.diffusion;

import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import org.bytedeco.pytorch.Tensor;

/** The network that predicts, at a timestep, what is noise in the latents. */
public interface Denoiser extends MergeableModel {
    /** A denoiser that has seen the text and the timesteps of a run. */
    @FunctionalInterface
    interface Conditioned {
        /**
         * One forward pass.
         *
         * @param latents as the scheduler scaled them, {@code [B, C, H, W]} fp32
         * @param timestep one of those conditioned for
         * @param context what the blocks are to merge
         * @return {@code [B, C, H, W]} fp32 on the CPU, in the open scope
         */
        Tensor predict(Tensor latents, double timestep, MergeContext context);
    }

    /**
     * Computes once what all steps of a run have in common.
     *
     * @param text text embeddings, {@code [B, M, D]}
     * @param timesteps all that there will be
     * @return what predicts in this run; it belongs to the open scope
     */
    Conditioned condition(Tensor text, double... timesteps);

    /** Channels of the latents. */
    int latentChannels();

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
