package io.tome4j.evaluation.measures;

import io.tome4j.models.clip.ClipModel;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.Collection;

/** How well images fit their prompts, by CLIP (CLIPScore, arXiv 2104.08718, with torchmetrics' factor of 100). */
public final class ClipScore {
    private final ClipModel model;

    /** @param model stays with the caller, and so does closing it */
    public ClipScore(ClipModel model) {
        this.model = model;
    }

    /**
     * A hundred times the cosine between the image's and the prompt's features.
     *
     * @param prompt what is too long for the model is cut
     * @return from -100 to 100, usually between 15 and 35; {@link #mean} leaves out what is below 0
     */
    public double of(BufferedImage image, String prompt) {
        try (var scope = TensorScope.open()) {
            return 100 * cosine(Tensors.floats(model.imageFeatures(image)), Tensors.floats(model.textFeatures(prompt)));
        }
    }

    /**
     * The CLIP score of a set: the mean, or 0 if that is less.
     *
     * @param scores what {@link #of} gave for each image; at least one
     * @return from 0 to 100
     */
    public static double mean(Collection<Double> scores) {
        double mean = scores.stream()
                .mapToDouble(score -> score)
                .average()
                .orElseThrow(() -> new IllegalArgumentException("No scores have no mean"));
        return Math.max(0, mean);
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double squaresA = 0;
        double squaresB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            squaresA += (double) a[i] * a[i];
            squaresB += (double) b[i] * b[i];
        }
        return product / Math.sqrt(squaresA * squaresB);
    }
}
