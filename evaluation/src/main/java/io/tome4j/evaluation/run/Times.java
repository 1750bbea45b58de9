package io.tome4j.evaluation.run;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result.Timings;
import io.tome4j.evaluation.Quantiles;
import java.time.Duration;
import java.util.List;

/**
 * What an image took, in seconds.
 *
 * @param textEncoding of the prompts
 * @param steps of each denoising step, at least one
 * @param decoding of the latents
 */
public record Times(double textEncoding, List<Double> steps, double decoding) {
    private static final double ROUNDING = 1e6; // no clock is better, and the numbers stay short

    public Times {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("An image takes at least one step");
        }
    }

    /** The times of a run, each to the microsecond. */
    public static Times of(Timings timings) {
        return new Times(
                seconds(timings.textEncoding()),
                timings.steps().stream().map(Times::seconds).toList(),
                seconds(timings.decoding()));
    }

    /** A duration in seconds, to the microsecond. */
    public static double seconds(Duration duration) {
        return Math.round(duration.toNanos() / 1e9 * ROUNDING) / ROUNDING;
    }

    /** All together. */
    public double total() {
        return textEncoding + decoding + denoising();
    }

    /** All denoising steps together. */
    public double denoising() {
        return steps.stream().mapToDouble(Double::doubleValue).sum();
    }

    /**
     * What a step took: the median, so that one that was disturbed does not count; the mean where steps are not alike.
     *
     * @param request what took these times
     */
    public double perStep(Request request) {
        return request.leavesOutWork() ? denoising() / steps.size() : Quantiles.median(steps);
    }
}
