package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import org.bytedeco.pytorch.Tensor;

/**
 * What models need that were trained with continuous noise levels and preconditioned inputs and outputs (arXiv 2206.00364,
 * table 1 and equation 7).
 *
 * @param least the lowest noise level
 * @param most the highest
 * @param data the standard deviation of the training images' latents
 * @param exponential whether levels are spaced evenly in the logarithm, and not in the {@code rho}-th root
 * @param rho that root's degree
 * @param velocity whether the model predicts the velocity
 * @param trained the number of timesteps, which only limits the number of steps
 */
record EdmSettings(
        double least, double most, float data, boolean exponential, double rho, boolean velocity, int trained) {
    /**
     * Reads {@code sigma_min}, {@code sigma_max}, {@code sigma_data}, {@code sigma_schedule}, {@code rho}, {@code
     * prediction_type} and {@code num_train_timesteps}.
     */
    static EdmSettings read(Config config) {
        return new EdmSettings(
                config.positive("sigma_min", 0.002),
                config.positive("sigma_max", 80),
                (float) config.positive("sigma_data", 0.5),
                switch (config.text("sigma_schedule", "karras")) {
                    case "karras" -> false;
                    case "exponential" -> true;
                    default -> throw config.unsupported("sigma_schedule", "karras, exponential");
                },
                config.positive("rho", 7),
                PredictionType.read(config, PredictionType.EPSILON, PredictionType.V_PREDICTION)
                        == PredictionType.V_PREDICTION,
                config.integer("num_train_timesteps", 1000, 1, NoiseSchedule.MOST_TIMESTEPS));
    }

    /** The noise levels of a run, falling. */
    double[] levels(int steps) {
        if (exponential) {
            double[] rising = Sigmas.linspace(Math.log(least), Math.log(most), steps);
            double[] levels = new double[steps];
            for (int i = 0; i < steps; i++) {
                levels[i] = Math.exp(rising[steps - 1 - i]);
            }
            return levels;
        }
        double[] levels = Sigmas.linspace(0, 1, steps);
        double leastRoot = Math.pow(least, 1 / rho);
        double mostRoot = Math.pow(most, 1 / rho);
        for (int i = 0; i < steps; i++) {
            levels[i] = Math.pow(mostRoot + levels[i] * (leastRoot - mostRoot), rho);
        }
        return levels;
    }

    /** What the model is told of noise levels. */
    double[] timesteps(double[] levels) {
        double[] timesteps = new double[levels.length];
        for (int i = 0; i < levels.length; i++) {
            timesteps[i] = 0.25f * (float) Math.log((float) levels[i]);
        }
        return timesteps;
    }

    double initNoiseSigma() {
        return Math.sqrt(most * most + 1);
    }

    /** The sample, {@code [B, 4, H, W]}, as the model wants it. */
    Tensor input(Tensor sample, float level) {
        return times(sample, 1 / (float) Math.sqrt(level * level + data * data));
    }

    /** The image that the model's output means, both {@code [B, 4, H, W]}. */
    Tensor image(Tensor sample, Tensor output, float level) {
        float variance = level * level + data * data;
        float out = level * data / (float) Math.sqrt(variance);
        return times(sample, data * data / variance).add(times(output, velocity ? -out : out));
    }
}
