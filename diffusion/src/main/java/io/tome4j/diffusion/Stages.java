package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.SchedulerSettings;
import io.tome4j.tensor.Placement;
import java.util.Optional;
import java.util.function.BiFunction;

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
 * @param defaults of a request that does not say
 * @param adapters the components to which LoRAs may be added
 * @param schedulers gives the scheduler of a name, or the checkpoint's own for {@link Request#CHECKPOINTS_OWN}, with settings
 *     that go before the checkpoint's
 * @param refiner the stages of a model that goes on where this one stops; empty for none
 * @param previews what decodes latents while a run goes on; empty if nothing does
 */
record Stages(
        String modelName,
        PipelineOptions options,
        Placement placement,
        PromptEncoder prompts,
        Denoiser denoiser,
        Runnable closeDenoiser,
        ImageDecoder decoder,
        FamilyDefaults defaults,
        Adapters adapters,
        BiFunction<String, SchedulerSettings, Scheduler> schedulers,
        Optional<Stages> refiner,
        Optional<ImageDecoder> previews)
        implements AutoCloseable {

    /** The same with a refiner, which it owns, too. */
    Stages withRefiner(Stages value) {
        return with(Optional.of(value), previews);
    }

    /** The same with what decodes previews, which it owns, too. */
    Stages withPreviews(ImageDecoder value) {
        return with(refiner, Optional.of(value));
    }

    private Stages with(Optional<Stages> otherRefiner, Optional<ImageDecoder> otherPreviews) {
        return new Stages(
                modelName,
                options,
                placement,
                prompts,
                denoiser,
                closeDenoiser,
                decoder,
                defaults,
                adapters,
                schedulers,
                otherRefiner,
                otherPreviews);
    }

    /** The scheduler that a request asks for. */
    Scheduler scheduler(Request request) {
        return schedulers
                .apply(request.scheduler(), request.schedulerSettings())
                .withEta(request.eta());
    }

    /** The request with what the family chooses where nobody did. */
    Request withDefaults(Request request) {
        return defaults.in(request);
    }

    long weightBytes() {
        return refiner.map(Stages::weightBytes).orElse(0L)
                + previews.map(ImageDecoder::weightBytes).orElse(0L)
                + denoiser.weightBytes()
                + decoder.weightBytes()
                + prompts.weightBytes();
    }

    @Override
    public void close() {
        closeDenoiser.run();
        decoder.close();
        prompts.close();
        previews.ifPresent(ImageDecoder::close);
        refiner.ifPresent(Stages::close);
    }
}
