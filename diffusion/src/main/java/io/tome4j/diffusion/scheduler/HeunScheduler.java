package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.OptionException;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Heun's method, which takes an Euler step and corrects it by the derivative at its end: arXiv 2206.00364, algorithm 1.
 * It calls the model twice in each step but the last. diffusers' {@code HeunDiscreteScheduler}.
 */
final class HeunScheduler implements Scheduler {
    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;
    private final SampleLimit limit;

    HeunScheduler(Config config) {
        noise = NoiseSchedule.read(config, 0.00085, 0.012, "linear");
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.read(config);
        prediction = PredictionType.read(config, PredictionType.values());
        limit = SampleLimit.readClip(config, false);
    }

    @Override
    public String name() {
        return "heun";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        SigmaCourse course = SigmaCourse.of(noise, spacing, sigmaSpacing, steps);
        return new HeunRun(withEndsRepeated(course.timesteps()), Sigmas.ending(withEndsRepeated(course.sigmas()), 0));
    }

    /** Of given timesteps the reference takes the share of model calls, and then leaves out twice as many as that leaves. */
    @Override
    public Trajectory start(int steps, double strength) {
        if (!spacing.given().isPresent()) {
            return Scheduler.super.start(steps, strength);
        }
        Trajectory whole = start(steps);
        int calls = whole.timesteps().length;
        int left = 2 * (calls - Strength.steps(calls, strength));
        if (left >= calls) {
            whole.close();
            throw new OptionException("{strength} is " + strength + ": of the " + steps
                    + " {timesteps} none is left; take a greater one");
        }
        return whole.startingAt(left);
    }

    /** The end of each step is the start of the next, and the model is called at both. */
    private static double[] withEndsRepeated(double[] values) {
        double[] calls = new double[2 * values.length - 1];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = values[(i + 1) / 2];
        }
        return calls;
    }

    private final class HeunRun extends SigmaRun {
        private final History starts = remember(1);
        private final History derivatives = remember(1);

        HeunRun(double[] timesteps, float[] sigmas) {
            super(noise.timesteps(), timesteps, sigmas, spacing, 2);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return limit.apply(prediction.original(sample, modelOutput, sigmas[index]));
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            float sigma = sigmas[index];
            Tensor image = image(modelOutput, index, sample);
            Tensor derivative = derivative(sample, image, sigma);
            if (index % 2 == 0) {
                starts.push(sample);
                derivatives.push(derivative);
                return sample.add(times(derivative, sigmas[index + 1] - sigma));
            }
            Tensor mean = over(derivatives.latest(0).add(derivative), 2);
            return starts.latest(0).add(times(mean, sigma - sigmas[index - 1]));
        }
    }
}
