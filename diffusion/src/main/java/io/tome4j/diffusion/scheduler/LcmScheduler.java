package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
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
    private final int originalSteps;
    private final float timestepScaling;

    LcmScheduler(Config config) {
        noise = NoiseSchedule.read(config, 0.00085, 0.012, "scaled_linear").rescaled(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.read(config, false);
        originalSteps = config.integer("original_inference_steps", 50);
        timestepScaling = (float) config.finite("timestep_scaling", 10);
        if (originalSteps < 1 || originalSteps > noise.timesteps()) {
            throw config.unsupported("original_inference_steps", "1 to " + noise.timesteps());
        }
    }

    @Override
    public String name() {
        return "lcm";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        if (steps > originalSteps) {
            throw new TomeException("The scheduler 'lcm' cannot run " + steps + " steps: the model was distilled with "
                    + originalSteps + " (original_inference_steps), so take 1 to " + originalSteps + ".");
        }
        int distance = noise.timesteps() / originalSteps;
        int[] positions = new int[steps];
        for (int i = 0; i < steps; i++) {
            int skipped = (int) Math.floor(i * (originalSteps / (double) steps));
            positions[i] = (originalSteps - skipped) * distance - 1;
        }
        prediction.requireFinite(noise, positions, limit);
        return new LcmRun(positions);
    }

    private final class LcmRun extends Run {
        private final int[] positions;

        LcmRun(int[] positions) {
            super(asDoubles(positions), 1);
            this.positions = positions;
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            float alpha = noise.alphaCumprod(positions[index]);
            Tensor image = limit.apply(prediction.original(sample, modelOutput, sqrt(alpha), sqrt(1 - alpha)));

            float scaled = positions[index] * timestepScaling;
            float variance = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
            Tensor denoised =
                    times(image, scaled / sqrt(variance)).add(times(sample, SIGMA_DATA * SIGMA_DATA / variance));
            if (index == positions.length - 1) {
                return denoised;
            }
            float nextAlpha = noise.alphaCumprod(positions[index + 1]);
            return times(denoised, sqrt(nextAlpha))
                    .add(times(LatentMath.noiseLike(sample, generator), sqrt(1 - nextAlpha)));
        }

        private static float sqrt(float x) {
            return (float) Math.sqrt(x);
        }
    }
}
