package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import org.bytedeco.pytorch.Tensor;

/**
 * A run of a solver that works on {@code sample = image + sigma noise} (arXiv 2206.00364), while the model was trained on
 * samples of variance one.
 */
abstract class SigmaRun extends Run {
    /** The noise level at each model call and, last, the one that the final step reaches. */
    final float[] sigmas;

    SigmaRun(int trained, double[] timesteps, float[] sigmas, TimestepSpacing spacing) {
        this(trained, timesteps, sigmas, spacing, 1);
    }

    SigmaRun(int trained, double[] timesteps, float[] sigmas, TimestepSpacing spacing, int order) {
        super(trained, timesteps, initNoiseSigma(sigmas, spacing), order);
        this.sigmas = sigmas;
    }

    private static float initNoiseSigma(float[] sigmas, TimestepSpacing spacing) {
        float highest = 0;
        for (float sigma : sigmas) {
            highest = Math.max(highest, sigma);
        }
        return spacing.way() == TimestepSpacing.Way.LEADING ? deviation(highest) : highest;
    }

    /** The standard deviation of a sample at a noise level. */
    private static float deviation(float sigma) {
        return (float) Math.sqrt(sigma * sigma + 1);
    }

    @Override
    final Tensor noised(Tensor original, Tensor noise, int index) {
        return original.add(times(noise, noiseLevel(index)));
    }

    /** The noise level of an image's latents that join the run at a model call. */
    float noiseLevel(int index) {
        return sigmas[index];
    }

    @Override
    final Tensor scaled(Tensor sample, int index) {
        return over(sample, deviation(sigmas[index]));
    }

    /** The derivative of the sample by sigma, towards a predicted image. */
    static Tensor derivative(Tensor sample, Tensor original, float sigma) {
        return over(sample.sub(original), sigma);
    }
}
