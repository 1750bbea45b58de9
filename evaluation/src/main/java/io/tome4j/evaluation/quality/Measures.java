package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.measures.ClipScore;
import io.tome4j.evaluation.measures.PictureFeatures;
import io.tome4j.evaluation.measures.PictureMeasure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What to tell of pictures. The networks behind them stay with the caller, and so does closing them.
 *
 * @param pictures of a merged picture against the unmerged one
 * @param clipScore of any picture against its prompt
 * @param features of the merged pictures as a set against the unmerged ones: their Frechet distance
 */
public record Measures(
        List<PictureMeasure> pictures, Optional<ClipScore> clipScore, Optional<PictureFeatures> features) {
    static final Scale CLIP_SCORE = new Scale("clip_score", "CLIP score", false);

    public Measures {
        pictures = List.copyOf(pictures);
    }

    /** Measures of pictures alone. */
    public static Measures of(PictureMeasure... pictures) {
        return new Measures(List.of(pictures), Optional.empty(), Optional.empty());
    }

    /** What the numbers of each picture mean. */
    List<Scale> scales() {
        List<Scale> scales = new ArrayList<>();
        for (PictureMeasure measure : pictures) {
            scales.add(new Scale(measure.name(), measure.title(), measure.better() == PictureMeasure.Better.LOWER));
        }
        clipScore.ifPresent(score -> scales.add(CLIP_SCORE));
        return scales;
    }

    /**
     * @throws IllegalArgumentException if pictures of this size are too small for a measure, or there are too few
     */
    void require(int width, int height, int prompts) {
        for (PictureMeasure measure : pictures) {
            if (!measure.fits(width, height)) {
                throw new IllegalArgumentException("measures has " + measure.name() + ", which needs pictures of "
                        + measure.smallestSide() + " x " + measure.smallestSide() + " pixels or more; these have "
                        + width + " x " + height);
            }
        }
        if (features.isPresent() && prompts < 2) {
            throw new IllegalArgumentException(
                    "features compare sets of pictures: there must be at least 2 prompts, and there is " + prompts);
        }
    }
}
