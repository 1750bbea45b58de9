package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.over;
import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;

/** What the model's output means. Each conversion takes and gives {@code [B, 4, H, W]} fp32. */
enum PredictionType {
    /** The noise in the sample. */
    EPSILON,
    /** The velocity {@code alpha noise - sigma image} (arXiv 2202.00512, section 4). */
    V_PREDICTION,
    /** The image without the noise. */
    SAMPLE;

    /** Reads {@code prediction_type}, which must be one of {@code supported}. */
    static PredictionType read(Config config, PredictionType... supported) {
        String text = config.text("prediction_type", "epsilon");
        for (PredictionType type : supported) {
            if (type.text().equals(text)) {
                return type;
            }
        }
        throw config.unsupported(
                "prediction_type",
                Arrays.stream(supported).map(PredictionType::text).collect(Collectors.joining(", ")));
    }

    private String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Checks that the image can be predicted at all timesteps visited: from the noise it cannot where nothing of the image
     * is left, as at the last timestep with {@code rescale_betas_zero_snr}, unless a limit makes the infinite finite.
     *
     * @throws TomeException if it does not
     */
    void requireFinite(NoiseSchedule noise, int[] timesteps, SampleLimit limit) {
        for (int timestep : timesteps) {
            if (this == EPSILON && limit.isNone() && noise.alphaCumprod(timestep) == 0) {
                throw new TomeException("prediction_type 'epsilon' says nothing about the image at timestep " + timestep
                        + ", which is pure noise by rescale_betas_zero_snr: set one of the two otherwise, as the model"
                        + " was trained.");
            }
        }
    }

    /** The image predicted from {@code sample = alpha image + sigma noise}. */
    Tensor original(Tensor sample, Tensor output, float alpha, float sigma) {
        return switch (this) {
            case EPSILON -> over(sample.sub(times(output, sigma)), alpha);
            case V_PREDICTION -> times(sample, alpha).sub(times(output, sigma));
            case SAMPLE -> output;
        };
    }

    /** The noise predicted from {@code sample = alpha image + sigma noise}. */
    Tensor noise(Tensor sample, Tensor output, float alpha, float sigma) {
        return switch (this) {
            case EPSILON -> output;
            case V_PREDICTION -> times(output, alpha).add(times(sample, sigma));
            case SAMPLE -> over(sample.sub(times(output, alpha)), sigma);
        };
    }

    /** The image predicted from {@code sample = image + sigma noise}. */
    Tensor original(Tensor sample, Tensor output, float sigma) {
        return switch (this) {
            case EPSILON -> sample.sub(times(output, sigma));
            case V_PREDICTION -> {
                float variance = sigma * sigma + 1;
                yield times(output, -sigma / (float) Math.sqrt(variance)).add(over(sample, variance));
            }
            case SAMPLE -> output;
        };
    }
}
