package io.tome4j.evaluation.measures;

import java.awt.image.BufferedImage;
import java.util.List;

/**
 * How far an image is from the unmerged one.
 *
 * @param measure the measure that was asked
 * @param value what it says; infinite where the images are equal and the measure has no bound
 */
public record Distance(ImageMeasure measure, double value) {
    /** What each measure says of an image. */
    public static List<Distance> of(List<ImageMeasure> measures, BufferedImage unmerged, BufferedImage image) {
        return measures.stream()
                .map(measure -> new Distance(measure, measure.between(unmerged, image)))
                .toList();
    }

    /** {@code PSNR 31.42 dB}. */
    public String shown() {
        return measure.title() + " " + measure.shown(value);
    }
}
