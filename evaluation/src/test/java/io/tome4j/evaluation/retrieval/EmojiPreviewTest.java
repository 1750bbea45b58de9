package io.tome4j.evaluation.retrieval;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.LatentPreview;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.tensor.DeviceChoice;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Previews of a model that was trained: only there do latents have colours worth the name. */
class EmojiPreviewTest {
    private static final int LATENT = 8;

    @Test
    void previewsComeToLookLikeTheImage() {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                EmbeddedModel.shipped().folder().toString(), PipelineOptions.DEFAULT.device(DeviceChoice.CPU))) {
            LatentPreview preview = LatentPreview.of(pipeline);
            List<BufferedImage> previews = new ArrayList<>();
            BufferedImage image = pipeline.generate(
                            Request.of("a goat on a blue background")
                                    .seed(7)
                                    .size(256, 256)
                                    .steps(6)
                                    .guidanceScale(2)
                                    .scheduler("euler"),
                            progress -> previews.add(preview.image(progress.original())))
                    .image()
                    .toBufferedImage();
            assertThat(correlation(previews.get(5), image)).isGreaterThan(0.85);
            assertThat(distance(previews.get(5), image)).isLessThan(32);
            assertThat(correlation(previews.get(2), image)).isGreaterThan(0.6);
            assertThat(correlation(previews.get(0), image)).isLessThan(correlation(previews.get(5), image));
        }
    }

    /** Of the colours of a preview's pixels with the mean colours of what they stand for. */
    private static double correlation(BufferedImage preview, BufferedImage image) {
        double x = 0;
        double y = 0;
        double xx = 0;
        double yy = 0;
        double xy = 0;
        int count = 0;
        for (int row = 0; row < preview.getHeight(); row++) {
            for (int column = 0; column < preview.getWidth(); column++) {
                for (int shift = 0; shift < 24; shift += 8) {
                    double a = preview.getRGB(column, row) >> shift & 255;
                    double b = mean(image, column, row, shift);
                    x += a;
                    y += b;
                    xx += a * a;
                    yy += b * b;
                    xy += a * b;
                    count++;
                }
            }
        }
        return (xy - x * y / count) / Math.sqrt((xx - x * x / count) * (yy - y * y / count));
    }

    /** The root mean square of how far a preview's colours are from the mean ones of what they stand for, of 255. */
    private static double distance(BufferedImage preview, BufferedImage image) {
        double sum = 0;
        for (int row = 0; row < preview.getHeight(); row++) {
            for (int column = 0; column < preview.getWidth(); column++) {
                for (int shift = 0; shift < 24; shift += 8) {
                    double off = (preview.getRGB(column, row) >> shift & 255) - mean(image, column, row, shift);
                    sum += off * off;
                }
            }
        }
        return Math.sqrt(sum / (3.0 * preview.getHeight() * preview.getWidth()));
    }

    private static double mean(BufferedImage image, int column, int row, int shift) {
        double sum = 0;
        for (int dy = 0; dy < LATENT; dy++) {
            for (int dx = 0; dx < LATENT; dx++) {
                sum += image.getRGB(column * LATENT + dx, row * LATENT + dy) >> shift & 255;
            }
        }
        return sum / (LATENT * LATENT);
    }
}
