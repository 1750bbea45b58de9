package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * A run of a solver that works on {@code sample = alpha image + sigma noise} with {@code alpha^2 + sigma^2 = 1}, in steps
 * of {@code lambda = log(alpha / sigma)}, and remembers earlier predictions (arXiv 2206.00927, section 2).
 */
abstract class MultistepRun extends Run {
    final int steps;
    final float[] alpha; // at each model call and, last, where the final step ends
    final float[] sigma;
    final float[] lambda;

    MultistepRun(int trained, double[] timesteps, float[] noiseLevels) {
        super(trained, timesteps, 1);
        steps = timesteps.length;
        alpha = new float[steps + 1];
        sigma = new float[steps + 1];
        for (int i = 0; i <= steps; i++) {
            alpha[i] = 1 / (float) Math.sqrt(noiseLevels[i] * noiseLevels[i] + 1);
            sigma[i] = noiseLevels[i] * alpha[i];
        }
        lambda = lambdas(alpha, sigma);
    }

    /** A run on {@code sample = image + sigma noise}, so that all alphas are 1. */
    MultistepRun(int trained, double[] timesteps, double initNoiseSigma, float[] noiseLevels) {
        super(trained, timesteps, initNoiseSigma);
        steps = timesteps.length;
        alpha = new float[steps + 1];
        Arrays.fill(alpha, 1);
        sigma = noiseLevels;
        lambda = lambdas(alpha, sigma);
    }

    private static float[] lambdas(float[] alpha, float[] sigma) {
        float[] lambda = new float[alpha.length];
        for (int i = 0; i < lambda.length; i++) {
            lambda[i] = log(alpha[i]) - log(sigma[i]);
        }
        return lambda;
    }

    @Override
    final Tensor noised(Tensor original, Tensor noise, int index) {
        return times(original, alpha[index]).add(times(noise, sigma[index]));
    }

    /** Timesteps as whole numbers, rounded or cut off. */
    static double[] whole(double[] timesteps, boolean round) {
        double[] whole = new double[timesteps.length];
        for (int i = 0; i < whole.length; i++) {
            whole[i] = round ? Math.rint(timesteps[i]) : Math.floor(timesteps[i]);
        }
        return whole;
    }

    private static float log(float x) {
        return (float) Math.log(x);
    }
}
