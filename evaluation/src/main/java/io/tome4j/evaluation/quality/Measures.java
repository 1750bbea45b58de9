package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.measures.ClipScore;
import io.tome4j.evaluation.measures.ImageFeatures;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What to tell of images. The networks behind them stay with the caller, and so does closing them.
 *
 * @param images of a merged image against the unmerged one
 * @param clipScore of any image against its prompt
 * @param features of the merged images as a set against the unmerged ones: their Frechet distance
 */
public record Measures(List<ImageMeasure> images, Optional<ClipScore> clipScore, Optional<ImageFeatures> features) {
    static final Scale CLIP_SCORE = new Scale("clip_score", "CLIP score", false);

    public Measures {
        images = List.copyOf(images);
    }

    /** Measures of images alone. */
    public static Measures of(ImageMeasure... images) {
        return new Measures(List.of(images), Optional.empty(), Optional.empty());
    }

    /** What the numbers of each image mean. */
    List<Scale> scales() {
        List<Scale> scales = new ArrayList<>();
        for (ImageMeasure measure : images) {
            scales.add(new Scale(measure.name(), measure.title(), measure.better() == ImageMeasure.Better.LOWER));
        }
        clipScore.ifPresent(score -> scales.add(CLIP_SCORE));
        return scales;
    }

    /**
     * @throws IllegalArgumentException if images of this size are too small for a measure, or there are too few
     */
    void require(int width, int height, int prompts) {
        for (ImageMeasure measure : images) {
            if (!measure.fits(width, height)) {
                throw new OptionException("{measures} has " + measure.name() + ", which needs images of "
                        + measure.smallestSide() + " x " + measure.smallestSide() + " pixels or more; these have "
                        + width + " x " + height);
            }
        }
        if (features.isPresent() && prompts < 2) {
            throw new OptionException(
                    "{features} compare sets of images: there must be at least 2 prompts, and there is " + prompts);
        }
    }
}
