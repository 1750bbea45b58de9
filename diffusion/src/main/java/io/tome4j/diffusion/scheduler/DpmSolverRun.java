package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * A run of DPM-Solver++ in multistep (arXiv 2211.01095, algorithm 2 and appendix B): each step uses the images predicted in
 * the steps before it.
 */
abstract class DpmSolverRun extends MultistepRun {
    private static final int FEW_STEPS = 15; // below this the last steps are of lower order

    private final DpmSolverSettings settings;
    private final History images;

    DpmSolverRun(DpmSolverSettings settings, int trained, double[] timesteps, float[] noiseLevels) {
        super(trained, timesteps, noiseLevels);
        this.settings = settings;
        this.images = remember(settings.order());
    }

    /** A run on {@code sample = image + sigma noise}, whose model wants it scaled. */
    DpmSolverRun(
            DpmSolverSettings settings, int trained, double[] timesteps, double initNoiseSigma, float[] noiseLevels) {
        super(trained, timesteps, initNoiseSigma, noiseLevels);
        this.settings = settings;
        this.images = remember(settings.order());
    }

    @Override
    final Tensor advance(Tensor modelOutput, int index, Tensor sample, Generator generator) {
        images.push(image(modelOutput, index, sample));
        int order = orderAt(index);
        int next = index + 1;
        boolean stochastic = settings.stochastic();
        float h = lambda[next] - lambda[index];
        float hh = stochastic ? 2 * h : h;
        float decay = exp(-hh);
        float toNoise = sigma[next] / sigma[index];

        Tensor image = images.latest(0);
        Tensor result =
                times(sample, stochastic ? toNoise * exp(-h) : toNoise).add(times(image, alpha[next] * (1 - decay)));
        if (order == 2) {
            float slopeWeight = settings.heun() ? (decay - 1) / hh + 1 : 0.5f * (1 - decay);
            result = result.add(times(slope(index, 0, h), alpha[next] * slopeWeight));
        } else if (order == 3) {
            float r0 = (lambda[index] - lambda[index - 1]) / h;
            float r1 = (lambda[index - 1] - lambda[index - 2]) / h;
            Tensor newer = slope(index, 0, h);
            Tensor bend = newer.sub(slope(index, 1, h));
            Tensor first = newer.add(times(bend, r0 / (r0 + r1)));
            Tensor second = times(bend, 1 / (r0 + r1));
            float secondWeight = -(decay - 1 + hh) / (hh * hh) + (stochastic ? -0.5f : 0.5f);
            result = result.add(times(first, alpha[next] * ((decay - 1) / hh + 1)))
                    .add(times(second, alpha[next] * secondWeight));
        }
        if (stochastic) {
            float fresh = sigma[next] * (float) Math.sqrt(1 - decay);
            result = result.add(times(LatentMath.noiseLike(sample, generator), fresh));
        }
        return result;
    }

    private int orderAt(int index) {
        boolean few = settings.lowerOrderFinal() && steps < FEW_STEPS;
        int left = steps - index;
        int most = settings.order();
        if (left == 1 && (settings.eulerAtFinal() || few || !settings.endsAboveZero())) {
            most = 1;
        } else if (left == 2 && few) {
            most = Math.min(most, 2);
        }
        return Math.min(most, images.size());
    }

    /** The finite difference of two neighbouring predictions, by lambda, in units of this step. */
    private Tensor slope(int index, int back, float h) {
        float r = (lambda[index - back] - lambda[index - back - 1]) / h;
        return times(images.latest(back).sub(images.latest(back + 1)), 1 / r);
    }

    private static float exp(float x) {
        return (float) Math.exp(x);
    }
}
