package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.tensor.Placement;
import java.util.function.Function;

/**
 * What a {@link ModelFamily} makes of a checkpoint: the stages of a run, and what they were loaded with. Owns them.
 *
 * @param modelName what the model is called: its id on the hub, or its folder's name
 * @param options how it was loaded
 * @param placement where and in what the models compute
 * @param prompts prompts to what the denoiser is conditioned on
 * @param denoiser text and noise to latents
 * @param closeDenoiser frees the denoiser's models
 * @param decoder latents to images
 * @param adapters the components to which LoRAs may be added
 * @param schedulers gives the scheduler of a name, or the checkpoint's own for {@link Request#CHECKPOINTS_OWN}
 */
record Stages(
        String modelName,
        PipelineOptions options,
        Placement placement,
        PromptEncoder prompts,
        Denoiser denoiser,
        Runnable closeDenoiser,
        ImageDecoder decoder,
        Adapters adapters,
        Function<String, Scheduler> schedulers)
        implements AutoCloseable {

    long weightBytes() {
        return denoiser.weightBytes() + decoder.weightBytes() + prompts.weightBytes();
    }

    @Override
    public void close() {
        closeDenoiser.run();
        decoder.close();
        prompts.close();
    }
}
