package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** Denoising diffusion implicit models: arXiv 2010.02502, equations 12 and 16. diffusers' {@code DDIMScheduler}. */
public final class DdimScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final PredictionType prediction;
    private final SampleLimit limit;
    private final float finalAlpha;
    private final double eta;

    DdimScheduler(Config config) {
        noise = NoiseSchedule.read(config).rescaled(config);
        spacing = TimestepSpacing.read(config, "leading");
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.read(config, true);
        finalAlpha = config.flag("set_alpha_to_one", true) ? 1 : noise.alphaCumprod(0);
        eta = 0;
    }

    private DdimScheduler(DdimScheduler other, double eta) {
        noise = other.noise;
        spacing = other.spacing;
        prediction = other.prediction;
        limit = other.limit;
        finalAlpha = other.finalAlpha;
        this.eta = eta;
    }

    @Override
    public DdimScheduler withEta(double value) {
        return new DdimScheduler(this, Eta.within(value));
    }

    @Override
    public String name() {
        return "ddim";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        int[] positions = spacing.positions(noise.timesteps(), steps);
        prediction.requireFinite(noise, positions, limit);
        return new DdimRun(positions, noise.timesteps() / steps);
    }

    private final class DdimRun extends Run {
        private final int[] positions;
        private final int distance; // timesteps between two steps

        DdimRun(int[] positions, int distance) {
            super(noise.timesteps(), asDoubles(positions), 1);
            this.positions = positions;
            this.distance = distance;
        }

        @Override
        Tensor noised(Tensor original, Tensor fresh, int index) {
            return noise.noised(original, fresh, positions[index]);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            float alpha = noise.alphaCumprod(positions[index]);
            return limit.apply(prediction.original(sample, modelOutput, sqrt(alpha), sqrt(1 - alpha)));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            int previous = positions[index] - distance;
            float alpha = noise.alphaCumprod(positions[index]);
            float previousAlpha = previous >= 0 ? noise.alphaCumprod(previous) : finalAlpha;
            Tensor image = image(modelOutput, index, sample);
            Tensor direction = prediction.noise(sample, modelOutput, sqrt(alpha), sqrt(1 - alpha));

            float variance = (1 - previousAlpha) / (1 - alpha) * (1 - alpha / previousAlpha);
            float deviation = (float) eta * sqrt(variance);
            Tensor result = times(image, sqrt(previousAlpha))
                    .add(times(direction, sqrt(1 - previousAlpha - deviation * deviation)));
            return eta > 0 ? result.add(times(LatentMath.noiseLike(sample, generator), deviation)) : result;
        }

        private static float sqrt(float x) {
            return (float) Math.sqrt(x);
        }
    }
}
