package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * Linear multistep (Adams-Bashforth on uneven steps) of order 4 over the derivative by sigma (the ODE of arXiv
 * 2206.00364). diffusers' {@code LMSDiscreteScheduler}.
 */
final class LmsScheduler implements Scheduler {
    private static final int ORDER = 4;

    private final NoiseSchedule noise;
    private final TimestepSpacing spacing;
    private final SigmaSpacing sigmaSpacing;
    private final PredictionType prediction;

    LmsScheduler(Config config) {
        noise = NoiseSchedule.read(config);
        spacing = TimestepSpacing.read(config, "linspace");
        sigmaSpacing = SigmaSpacing.readWithoutRange(config);
        prediction = PredictionType.read(config, PredictionType.values());
    }

    @Override
    public String name() {
        return "lms";
    }

    @Override
    public Trajectory start(int steps) {
        Run.requireSteps(name(), steps, noise.timesteps());
        SigmaCourse course = SigmaCourse.of(noise, spacing, sigmaSpacing, steps);
        return new LmsRun(course.timesteps(), Sigmas.ending(course.sigmas(), 0));
    }

    private final class LmsRun extends SigmaRun {
        private final History derivatives = remember(ORDER);

        LmsRun(double[] timesteps, float[] sigmas) {
            super(noise.timesteps(), timesteps, sigmas, spacing);
        }

        @Override
        Tensor image(Tensor modelOutput, int index, Tensor sample) {
            return prediction.original(sample, modelOutput, sigmas[index]);
        }

        @Override
        Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
            float sigma = sigmas[index];
            derivatives.push(derivative(sample, image(modelOutput, index, sample), sigma));
            Tensor change = times(derivatives.latest(0), coefficient(index, 0));
            for (int back = 1; back < derivatives.size(); back++) {
                change = change.add(times(derivatives.latest(back), coefficient(index, back)));
            }
            return sample.add(change);
        }

        /** The integral, over this step, of the Lagrange polynomial that is 1 at the step {@code back} ago. */
        private float coefficient(int index, int back) {
            // Two Gauss nodes integrate a polynomial of degree 3 exactly.
            double middle = ((double) sigmas[index] + sigmas[index + 1]) / 2;
            double half = ((double) sigmas[index + 1] - sigmas[index]) / 2;
            double node = half / Math.sqrt(3);
            return (float) (half * (lagrange(middle - node, index, back) + lagrange(middle + node, index, back)));
        }

        private double lagrange(double sigma, int index, int back) {
            double product = 1;
            // In a run from the middle the reference weighs as if it had all derivatives, and leaves out what it has
            // not.
            for (int other = 0; other < Math.min(index + 1, ORDER); other++) {
                if (other != back) {
                    double at = sigmas[index - other];
                    product *= (sigma - at) / (sigmas[index - back] - at);
                }
            }
            return product;
        }
    }
}
