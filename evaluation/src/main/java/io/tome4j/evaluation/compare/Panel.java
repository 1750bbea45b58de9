package io.tome4j.evaluation.compare;

import io.tome4j.diffusion.Result;
import io.tome4j.evaluation.measures.Distance;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.MergeMap;
import io.tome4j.merging.PatchReport;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Optional;

/**
 * One image of a comparison.
 *
 * @param setting what was done to save time, and what that is called
 * @param made the image, and the run it came of
 * @param merging what was merged
 * @param unmergedPerStep seconds that a step of the unmerged image took
 * @param distances from the unmerged image, by each measure; empty for itself
 */
public record Panel(Setting setting, Made made, PatchReport merging, double unmergedPerStep, List<Distance> distances) {
    static final String UNMERGED = Setting.UNMERGED.label();

    static Panel unmerged(Made made) {
        return new Panel(Setting.UNMERGED, made, made.result().merging(), perStep(made), List.of());
    }

    /** What it is called in the image. */
    public String label() {
        return setting.label();
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

    /** Seconds a denoising step took, as {@link io.tome4j.evaluation.run.Times#perStep} says. */
    public double perStep() {
        return perStep(made);
    }

    private static double perStep(Made made) {
        return made.times().perStep(made.result().request());
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
