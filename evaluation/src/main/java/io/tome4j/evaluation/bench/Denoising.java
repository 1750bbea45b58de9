package io.tome4j.evaluation.bench;

import io.tome4j.checkpoint.Config;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The denoising steps of a pipeline with guidance, from random latents and random text embeddings: the UNet on both halves
 * of the batch at once, guidance, the scheduler.
 */
final class Denoising {
    private static final long SEED = 0;
    private static final int TEXT_TOKENS = 77;
    private static final double GUIDANCE_SCALE = 7.5;

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

    /** Makes the UNet that a cell uses ready: built, and patched or not. */
    UNet2DConditionModel prepare(Cell cell) {
        UNet2DConditionModel unet = model.unet(cell.variant().attention());
        if (cell.variant().merges()) {
            patch(unet, cell.ratio());
        } else {
            ToMe.removePatch(unet);
        }
        return unet;
    }

    private void patch(UNet2DConditionModel unet, double ratio) {
        try {
            ToMe.applyPatch(unet, merging.withRatio(ratio));
        } catch (IllegalArgumentException e) {
            throw new TomeException("Merging has no effect on this model. " + e.getMessage() + ".", e);
        }
    }

    /** Runs the first steps of an image. */
    void run(Cell cell, int steps) {
        UNet2DConditionModel unet = prepare(cell);
        int side = cell.resolution() / BenchSettings.PIXELS_PER_LATENT;
        try (var scope = TensorScope.open();
                MergeRun run = MergeRun.of(SEED, 2);
                Trajectory trajectory = scheduler.start(Math.max(IMAGE_STEPS, steps))) {
            Generator generator = Tensors.generator(SEED);
            Tensor text = Tensors.randn(
                    generator, 2L * cell.batch(), TEXT_TOKENS, model.config().crossAttentionDim());
            Tensor latents =
                    Tensors.randn(generator, cell.batch(), model.config().inChannels(), side, side);
            // Once an image, as a pipeline does it: here for the timed steps alone, which so bear all of the text's
            // share.
            Conditioning conditioning = unet.condition(text, Arrays.copyOf(trajectory.timesteps(), steps));
            for (int i = 0; i < steps; i++) {
                try (var step = TensorScope.open()) {
                    latents = step.release(step(unet, trajectory, run.step(i), latents, conditioning, generator));
                }
            }
        }
    }

    private static Tensor step(
            UNet2DConditionModel unet,
            Trajectory trajectory,
            MergeContext context,
            Tensor latents,
            Conditioning conditioning,
            Generator generator) {
        int i = context.step();
        try (var scope = TensorScope.open()) {
            Tensor input = trajectory.scaleModelInput(latents, i);
            Tensor both = Placement.CPU_FP32.place(
                    unet.forward(Tensors.cat(0, input, input), trajectory.timesteps()[i], conditioning, context));
            long images = latents.size(0);
            Tensor unconditional = Tensors.slice(both, 0, 0, images);
            Tensor guided = Tensors.slice(both, 0, images, 2 * images)
                    .sub(unconditional)
                    .mul_(new Scalar(GUIDANCE_SCALE))
                    .add_(unconditional);
            return scope.release(trajectory.step(guided, i, latents, generator));
        }
    }
}
