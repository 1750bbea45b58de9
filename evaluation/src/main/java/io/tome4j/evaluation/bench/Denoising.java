package io.tome4j.evaluation.bench;

import io.tome4j.checkpoint.Config;
import io.tome4j.diffusion.DenoisingLoop;
import io.tome4j.diffusion.Guidance;
import io.tome4j.diffusion.ReuseSchedule;
import io.tome4j.diffusion.StepListener;
import io.tome4j.diffusion.TextConditioning;
import io.tome4j.diffusion.TextTimeline;
import io.tome4j.diffusion.UNetDenoiser;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.models.unet.AddedConditioning;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * The denoising steps of a pipeline with guidance, from random latents and random text embeddings: the UNet on both halves
 * of the batch at once, guidance, the scheduler.
 */
final class Denoising {
    private static final long SEED = 0;
    private static final int TEXT_TOKENS = 77;
    private static final int SIZES = 6;
    private static final Guidance GUIDANCE = new Guidance(7.5);

    /** Steps of the image that the timed ones are the first of. */
    private static final int IMAGE_STEPS = 50;

    private final BenchModel model;
    private final ToMeOptions merging;
    private final Scheduler scheduler =
            Schedulers.named("ddim", Config.parse("{\"beta_schedule\": \"scaled_linear\"}", "the benchmark"));

    Denoising(BenchModel model, ToMeOptions merging) {
        this.model = model;
        this.merging = merging;
    }

    /** Makes the UNet that a cell uses ready. */
    UNet2DConditionModel prepare(Cell cell) {
        return model.unet(cell.variant().attention());
    }

    /**
     * Runs the first steps of an image.
     *
     * @throws TomeException if the cell merges and that would have no effect on this model
     */
    void run(Cell cell, int steps) {
        UNetDenoiser denoiser = new UNetDenoiser(prepare(cell));
        int side = cell.resolution() / BenchSettings.PIXELS_PER_LATENT;
        try (var scope = TensorScope.open();
                MergeRun run = merging(denoiser, cell);
                Trajectory trajectory = scheduler.start(Math.max(IMAGE_STEPS, steps))) {
            Generator generator = Tensors.generator(SEED);
            Tensor text = Tensors.randn(
                    generator,
                    (long) GUIDANCE.copies() * cell.batch(),
                    TEXT_TOKENS,
                    model.config().crossAttentionDim());
            Tensor latents =
                    Tensors.randn(generator, cell.batch(), model.config().inChannels(), side, side);
            // What a pipeline computes once an image is computed here for the timed steps alone, which so bear all of
            // it.
            new DenoisingLoop(
                            denoiser,
                            GUIDANCE,
                            ReuseSchedule.every(cell.variant().reuseEvery()))
                    .run(
                            latents,
                            TextTimeline.of(withSizes(TextConditioning.of(text), side, generator)),
                            trajectory,
                            steps,
                            generator,
                            run,
                            StepListener.NONE);
        }
    }

    /** With what SDXL's UNets want besides: random pooled embeddings, and the sizes of an image. */
    private TextConditioning withSizes(TextConditioning text, int side, Generator generator) {
        return model.config()
                .textTime()
                .map(wanted -> {
                    long numbers = Math.min(SIZES, (wanted.inputSize() - 1) / wanted.timeIdSize());
                    long pooled = wanted.inputSize() - numbers * wanted.timeIdSize();
                    float[] pixels = new float[Math.toIntExact(text.rows() * numbers)];
                    Arrays.fill(pixels, side * BenchSettings.PIXELS_PER_LATENT);
                    return text.with(new AddedConditioning(
                            Tensors.randn(generator, text.rows(), pooled), Tensors.of(pixels, text.rows(), numbers)));
                })
                .orElse(text);
    }

    private MergeRun merging(UNetDenoiser denoiser, Cell cell) {
        ToMeOptions options = cell.variant().merges() ? merging.withRatio(cell.ratio()) : ToMeOptions.NONE;
        try {
            return MergeRun.of(denoiser, options, SEED, GUIDANCE.copies());
        } catch (OptionException e) {
            throw new TomeException("Merging has no effect on this model. " + e.getMessage() + ".", e);
        }
    }
}
