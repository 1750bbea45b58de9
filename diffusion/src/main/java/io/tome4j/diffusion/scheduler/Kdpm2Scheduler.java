package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * The midpoint method, whose middle is that of the logarithms of two noise levels (DPM-Solver-2 of arXiv 2206.00927,
 * algorithm 1, in the terms of arXiv 2206.00364); the ancestral kind steps further down than asked and adds fresh noise.
 * They call the model twice in each step but the last. diffusers' {@code KDPM2DiscreteScheduler} and {@code
 * KDPM2AncestralDiscreteScheduler}.
 */
final class Kdpm2Scheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final boolean ancestral;

    Kdpm2Scheduler(Config config, boolean ancestral) {
        noise = NoiseSchedule.read(config, 0.00085, 0.012, "linear");
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.EPSILON, PredictionType.V_PREDICTION);
        this.ancestral = ancestral;
    }

    @Override
    public String name() {
        return ancestral ? "dpm2_a" : "dpm2";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        SigmaCourse course = SigmaCourse.of(noise, spacing, sigmaSpacing, steps);
        double[] timesteps = course.timesteps();
        if (sigmaSpacing.isKarras()) {
            timesteps = MultistepRun.whole(timesteps, true);
        }
        float[] levels = Sigmas.ending(course.sigmas(), 0);
        float[] down = new float[steps];
        float[] up = new float[steps];
        double[] middles = new double[steps - 1];
        for (int i = 0; i < steps; i++) {
            up[i] = ancestral ? Sigmas.ancestralUp(levels[i], levels[i + 1]) : 0;
            down[i] = ancestral ? (float) Math.sqrt(levels[i + 1] * levels[i + 1] - up[i] * up[i]) : levels[i + 1];
            if (i < steps - 1) {
                middles[i] = middle(levels[i], down[i]);
            }
        }
        double[] betweens = Sigmas.timestepsOf(middles, noise.sigmas());
        double[] calls = new double[2 * steps - 1];
        float[] inputs = new float[2 * steps];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = i % 2 == 0 ? timesteps[i / 2] : betweens[i / 2];
            inputs[i] = i % 2 == 0 ? levels[i / 2] : (float) middles[i / 2];
        }
        return new MidpointRun(calls, inputs, levels, down, up);
    }

    private static float middle(float from, float to) {
        float start = (float) Math.log(from);
        float end = (float) Math.log(to);
        return (float) Math.exp(end - (end - start) * 0.5f);
    }

    private final class MidpointRun extends SigmaRun {
        private final float[] levels; // where each step begins and, last, where the final one ends
        private final float[] down; // where each step goes before noise is added
        private final float[] up; // the noise that it adds
        private final History starts = remember(1);

        MidpointRun(double[] timesteps, float[] inputs, float[] levels, float[] down, float[] up) {
            super(noise.timesteps(), timesteps, inputs, spacing, 2);
            this.levels = levels;
            this.down = down;
            this.up = up;
        }

        @Override
        float noiseLevel(int index) {
            return levels[(index + 1) / 2]; // in the middle of a step that of its end, as the reference has it
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return prediction.original(sample, modelOutput, sigmas[index]);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            int step = index / 2;
            Tensor derivative = derivative(sample, image(modelOutput, index, sample), sigmas[index]);
            if (index % 2 == 0) {
                starts.push(sample);
                return sample.add(times(derivative, sigmas[index + 1] - sigmas[index]));
            }
            Tensor result = starts.latest(0).add(times(derivative, down[step] - levels[step]));
            return ancestral ? result.add(times(LatentMath.noiseLike(sample, generator), up[step])) : result;
        }
    }
}
