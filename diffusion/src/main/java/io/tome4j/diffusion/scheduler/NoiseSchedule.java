package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * How much noise the model was trained with at each timestep (arXiv 2006.11239): {@code x_t = sqrt(alphasCumprod[t])
 * x_0 + sqrt(1 - alphasCumprod[t]) noise}. Kept in fp32, as the reference does, because differences of neighbouring
 * levels feel the rounding.
 */
final class NoiseSchedule {
    /** The smallest fp16 subnormal: stands for zero where a zero would give an infinite sigma. */
    private static final float ALMOST_ZERO = 0x1p-24f;

    private static final double MAX_BETA = 0.999;

    static final int MOST_TIMESTEPS = 1_000_000;

    private final float[] betas;
    private final float[] alphasCumprod;

    private NoiseSchedule(float[] betas) {
        this.betas = betas;
        this.alphasCumprod = cumulativeAlphas(betas);
    }

    private NoiseSchedule(float[] betas, float[] alphasCumprod) {
        this.betas = betas;
        this.alphasCumprod = alphasCumprod;
    }

    /** Reads the schedule with the defaults that most scheduler classes have. */
    static NoiseSchedule read(Config config) {
        return read(config, 0.0001, 0.02, "linear");
    }

    /**
     * Reads {@code num_train_timesteps}, {@code beta_start}, {@code beta_end}, {@code beta_schedule} and {@code
     * trained_betas}.
     *
     * @throws TomeException if a value is not supported
     */
    static NoiseSchedule read(Config config, double absentStart, double absentEnd, String absentSchedule) {
        int timesteps = config.integer("num_train_timesteps", 1000, 1, MOST_TIMESTEPS);
        double start = config.number("beta_start", absentStart);
        double end = config.number("beta_end", absentEnd);
        String schedule = config.text("beta_schedule", absentSchedule);
        if (config.has("trained_betas")) {
            return new NoiseSchedule(trainedBetas(config, timesteps));
        }
        requireShare(config, "beta_start", start);
        requireShare(config, "beta_end", end);
        return new NoiseSchedule(
                switch (schedule) {
                    case "linear" -> spaced(start, end, timesteps);
                    case "scaled_linear" -> squared(spaced(Math.sqrt(start), Math.sqrt(end), timesteps));
                    case "squaredcos_cap_v2" -> cosine(timesteps);
                    default -> throw config.unsupported("beta_schedule", "linear, scaled_linear, squaredcos_cap_v2");
                });
    }

    /** A beta is the share of noise that a timestep adds. */
    private static void requireShare(Config config, String key, double beta) {
        if (!(beta > 0 && beta < 1)) {
            throw config.unsupported(key, "a number between 0 and 1");
        }
    }

    /** The number of timesteps the model was trained with. */
    int timesteps() {
        return betas.length;
    }

    float alphaCumprod(int timestep) {
        return alphasCumprod[timestep];
    }

    /** An image with noise as at a timestep, {@code [B, 4, H, W]} fp32 as both are. */
    Tensor noised(Tensor original, Tensor noise, int timestep) {
        float alpha = alphasCumprod[timestep];
        return LatentMath.times(original, sqrt(alpha)).add(LatentMath.times(noise, sqrt(1 - alpha)));
    }

    /** For each timestep the noise's standard deviation where the image's part is scaled to 1, rising. */
    float[] sigmas() {
        float[] sigmas = new float[alphasCumprod.length];
        for (int t = 0; t < sigmas.length; t++) {
            sigmas[t] = sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
        }
        return sigmas;
    }

    /** Half the logarithm of the signal-to-noise ratio at each timestep, falling. */
    float[] lambdas() {
        float[] lambdas = new float[alphasCumprod.length];
        for (int t = 0; t < lambdas.length; t++) {
            lambdas[t] = (float) Math.log(sqrt(alphasCumprod[t])) - (float) Math.log(sqrt(1 - alphasCumprod[t]));
        }
        return lambdas;
    }

    /**
     * How many timesteps, from 0, have a lambda of at least {@code lambda_min_clipped}.
     *
     * @throws TomeException if there is none
     */
    int timestepsInUse(String scheduler, double leastLambda) {
        float[] lambdas = lambdas();
        int inUse = lambdas.length;
        while (inUse > 0 && lambdas[inUse - 1] < leastLambda) {
            inUse--;
        }
        if (inUse == 0) {
            throw new TomeException("The scheduler '" + scheduler + "' has no timestep left: lambda_min_clipped is "
                    + leastLambda + ", and the noise schedule reaches only " + lambdas[0] + ".");
        }
        return inUse;
    }

    /** The schedule shifted and scaled so that nothing of the image is left at the last timestep (arXiv 2305.08891, algorithm 1). */
    NoiseSchedule withZeroTerminalSnr() {
        int n = betas.length;
        float[] rescaled = new float[n];
        float first = sqrt(alphasCumprod[0]);
        float last = sqrt(alphasCumprod[n - 1]);
        float scale = first / (first - last);
        float before = 1;
        for (int t = 0; t < n; t++) {
            float root = (sqrt(alphasCumprod[t]) - last) * scale;
            float alphaBar = root * root;
            rescaled[t] = 1 - alphaBar / before;
            before = alphaBar;
        }
        return new NoiseSchedule(rescaled);
    }

    /** The schedule with the last level lifted just above zero, for schedulers that divide by it. */
    NoiseSchedule withLastAlphaAboveZero() {
        float[] lifted = alphasCumprod.clone();
        lifted[lifted.length - 1] = ALMOST_ZERO;
        return new NoiseSchedule(betas, lifted);
    }

    /** This schedule or, where {@code rescale_betas_zero_snr} says so, the rescaled one with a finite last sigma. */
    NoiseSchedule rescaledWithFiniteSigmas(Config config) {
        return config.flag("rescale_betas_zero_snr", false)
                ? withZeroTerminalSnr().withLastAlphaAboveZero()
                : this;
    }

    /** This schedule or, where {@code rescale_betas_zero_snr} says so, the rescaled one. */
    NoiseSchedule rescaled(Config config) {
        return config.flag("rescale_betas_zero_snr", false) ? withZeroTerminalSnr() : this;
    }

    private static float[] trainedBetas(Config config, int timesteps) {
        double[] given = config.numbers("trained_betas");
        if (given.length != timesteps) {
            throw new TomeException("Wrong in " + config.origin() + ": 'trained_betas' has " + given.length
                    + " values where 'num_train_timesteps' is " + timesteps + ".");
        }
        float[] betas = new float[timesteps];
        for (int t = 0; t < timesteps; t++) {
            if (!(given[t] >= 0 && given[t] <= 1)) {
                throw config.unsupported("trained_betas", "numbers from 0 to 1");
            }
            betas[t] = (float) given[t];
        }
        return betas;
    }

    private static float[] spaced(double start, double end, int count) {
        // libtorch's own linspace, so that each value is rounded the same way as in the reference
        try (var scope = TensorScope.open()) {
            Tensor spaced = torch.linspace(new Scalar(start), new Scalar(end), count, Tensors.fp32());
            return Tensors.floats(spaced);
        }
    }

    private static float[] squared(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] *= values[i];
        }
        return values;
    }

    /** The cosine schedule of arXiv 2102.09672, section 3.2. */
    private static float[] cosine(int timesteps) {
        float[] betas = new float[timesteps];
        for (int t = 0; t < timesteps; t++) {
            double ratio = cosineAlphaBar((t + 1) / (double) timesteps) / cosineAlphaBar(t / (double) timesteps);
            betas[t] = (float) Math.min(1 - ratio, MAX_BETA);
        }
        return betas;
    }

    private static double cosineAlphaBar(double t) {
        double cosine = Math.cos((t + 0.008) / 1.008 * Math.PI / 2);
        return cosine * cosine;
    }

    private static float[] cumulativeAlphas(float[] betas) {
        float[] cumulative = new float[betas.length];
        double product = 1; // libtorch, too, accumulates fp32 products in double
        for (int t = 0; t < betas.length; t++) {
            product *= 1 - betas[t];
            cumulative[t] = (float) product;
        }
        return cumulative;
    }

    private static float sqrt(float x) {
        return (float) Math.sqrt(x);
    }
}
