package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Euler's method that steps further down than asked and adds fresh noise to come back up (the ancestral sampling of
 * arXiv 2006.11239 between arbitrary noise levels). diffusers' {@code EulerAncestralDiscreteScheduler}.
 */
final class EulerAncestralScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final PredictionType prediction;

    EulerAncestralScheduler(Config config) {
        noise = NoiseSchedule.read(config).rescaledWithFiniteSigmas(config);
        spacing = TimestepSpacing.read(config, "linspace");
        prediction = PredictionType.read(config, PredictionType.EPSILON, PredictionType.V_PREDICTION);
    }

    @Override
    public String name() {
        return "euler_a";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        double[] timesteps = spacing.continuous(noise.timesteps(), steps);
        return new AncestralRun(timesteps, Sigmas.ending(Sigmas.at(timesteps, noise.sigmas()), 0));
    }

    private final class AncestralRun extends SigmaRun {
        AncestralRun(double[] timesteps, float[] sigmas) {
            super(noise.timesteps(), timesteps, sigmas, spacing);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return prediction.original(sample, modelOutput, sigmas[index]);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            float from = sigmas[index];
            float to = sigmas[index + 1];
            float up = Sigmas.ancestralUp(from, to);
            float down = (float) Math.sqrt(to * to - up * up);
            Tensor image = image(modelOutput, index, sample);
            Tensor fresh = LatentMath.noiseLike(sample, generator); // drawn in the last step too, as the reference does
            return sample.add(times(derivative(sample, image, from), down - from))
                    .add(times(fresh, up));
        }
    }
}
