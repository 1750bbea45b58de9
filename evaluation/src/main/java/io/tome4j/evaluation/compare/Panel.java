package io.tome4j.evaluation.compare;

import io.tome4j.diffusion.Result;
import io.tome4j.evaluation.measures.Distance;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.MergeMap;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One image of a comparison.
 *
 * @param label what it is called in the image
 * @param made the image, and the run it came of
 * @param merging what was merged
 * @param unmergedPerStep seconds that a step of the unmerged image took
 * @param distances from the unmerged image, by each measure; empty for itself
 */
public record Panel(String label, Made made, PatchReport merging, double unmergedPerStep, List<Distance> distances) {
    static final String UNMERGED = "unmerged";

    static Panel unmerged(Made made) {
        return new Panel(UNMERGED, made, made.result().merging(), made.times().perStep(), List.of());
    }

    static String label(ToMeOptions options) {
        return options.method().name().toLowerCase(Locale.ROOT) + " " + options.ratio();
    }

    /** The image. */
    public BufferedImage image() {
        return made.image();
    }

    /** The run it came of. */
    public Result result() {
        return made.result();
    }

    /** Which tokens were merged, if that was asked for. */
    public Optional<MergeMap> map() {
        return made.map();
    }

    /** Seconds a denoising step took: the median, so that a step that was disturbed does not count. */
    public double perStep() {
        return made.times().perStep();
    }

    /** Seconds that all denoising steps took. */
    public double denoising() {
        return made.times().denoising();
    }

    /** How many times as fast as the unmerged image a step was; 1 for that one itself. */
    public double speedUp() {
        return unmergedPerStep / perStep();
    }
}
