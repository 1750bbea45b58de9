package io.tome4j.evaluation.quality;

import io.tome4j.diffusion.Result.Timings;
import java.time.Duration;
import java.util.List;

/**
 * What a image took, in seconds.
 *
 * @param textEncoding of the prompts
 * @param steps of each denoising step
 * @param decoding of the latents
 */
public record Times(double textEncoding, List<Double> steps, double decoding) {
    private static final double ROUNDING = 1e6; // no clock is better, and the numbers stay short

    public Times {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("A image takes at least one step");
        }
    }

    static Times of(Timings timings) {
        return new Times(
                seconds(timings.textEncoding()),
                timings.steps().stream().map(Times::seconds).toList(),
                seconds(timings.decoding()));
    }

    private static double seconds(Duration duration) {
        return Math.round(duration.toNanos() / 1e9 * ROUNDING) / ROUNDING;
    }

    /** All together. */
    public double total() {
        return textEncoding
                + decoding
                + steps.stream().mapToDouble(Double::doubleValue).sum();
    }

    /** The median step, so that one that was disturbed does not count. */
    public double perStep() {
        return Statistics.median(steps.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
