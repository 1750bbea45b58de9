package io.tome4j.evaluation.compare;

import io.tome4j.diffusion.Result;
import io.tome4j.evaluation.maps.MergeMap;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One image of a comparison.
 *
 * @param label what it is called in the image
 * @param image the image
 * @param result the run it came of
 * @param merging what was merged; empty for the unmerged image
 * @param unmergedPerStep seconds that a step of the unmerged image took
 * @param distances from the unmerged image, by each measure; empty for itself
 * @param map which tokens were merged, if that was asked for
 */
public record Panel(
        String label,
        BufferedImage image,
        Result result,
        Optional<PatchReport> merging,
        double unmergedPerStep,
        List<Distance> distances,
        Optional<MergeMap> map) {
    static final String UNMERGED = "unmerged";

    /**
     * @param measure the measure that was asked
     * @param value what it says; infinite where the images are equal and the measure has no bound
     */
    public record Distance(ImageMeasure measure, double value) {
        /** {@code PSNR 31.42 dB}. */
        public String shown() {
            return measure.title() + " " + measure.shown(value);
        }
    }

    static Panel unmerged(Result result) {
        return new Panel(
                UNMERGED,
                result.image().toBufferedImage(),
                result,
                Optional.empty(),
                median(result),
                List.of(),
                Optional.empty());
    }

    static String label(ToMeOptions options) {
        return options.method().name().toLowerCase(Locale.ROOT) + " " + options.ratio();
    }

    /** Seconds a denoising step took: the median, so that a step that was disturbed does not count. */
    public double perStep() {
        return median(result);
    }

    /** Seconds that all denoising steps took. */
    public double denoising() {
        return seconds(result.timings().steps().stream().reduce(Duration.ZERO, Duration::plus));
    }

    /** How many times as fast as the unmerged image a step was; 1 for that one itself. */
    public double speedUp() {
        return unmergedPerStep / perStep();
    }

    private static double median(Result result) {
        double[] sorted = result.timings().steps().stream()
                .mapToDouble(Panel::seconds)
                .sorted()
                .toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
