package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Latent consistency sampling: predict the image, add noise of the next level, predict again (arXiv 2310.04378, algorithm
 * 3). For models distilled to it. diffusers' {@code LCMScheduler}.
 */
final class LcmScheduler implements Scheduler {
    private static final float SIGMA_DATA = 0.5f;

    private final NoiseSchedule noise;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final DistilledSteps distillation;
    private final float timestepScaling;

    LcmScheduler(Config config) {
        noise = NoiseSchedule.read(config, 0.00085, 0.012, "scaled_linear").rescaled(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.read(config, false);
        timestepScaling = (float) config.finite("timestep_scaling", 10);
        distillation = DistilledSteps.read(config, noise.timesteps());
    }

    @Override
    public String name() {
        return "lcm";
    }

    @Override
    public Trajectory start(int steps) {
        return startSpread(steps, 1);
    }

    @Override
    public Trajectory startSpread(int steps, double strength) {
        Run.requireSteps(name(), steps, noise.timesteps());
        return new LcmRun(distillation.positions(name(), steps, strength));
    }

    private final class LcmRun extends DistilledRun {
        LcmRun(int[] positions) {
            super(LcmScheduler.this.noise, LcmScheduler.this.prediction, limit, positions);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            Tensor image = image(modelOutput, index, sample);
            float scaled = positions[index] * timestepScaling;
            float variance = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
            Tensor denoised =
                    times(image, scaled / sqrt(variance)).add(times(sample, SIGMA_DATA * SIGMA_DATA / variance));
            if (isLast(index)) {
                return denoised;
            }
            float nextAlpha = noise.alphaCumprod(positions[index + 1]);
            return times(denoised, sqrt(nextAlpha))
                    .add(times(LatentMath.noiseLike(sample, generator), sqrt(1 - nextAlpha)));
        }
    }
}
