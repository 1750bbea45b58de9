package io.tome4j.evaluation.retrieval;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** The embedded model's image, compared with the one that {@code diffusers} draws: see {@code reference/emoji_check.py}. */
class EmojiParityTest {
    private static final int TOLERANCE = 2; // of 255

    @Test
    void drawsTheImageThatTheReferenceDraws() throws IOException {
        BufferedImage expected = ImageIO.read(Path.of(System.getProperty("tome4j.fixtures"), "emoji", "goat.png")
                .toFile());
        PipelineOptions options =
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                EmbeddedModel.shipped().folder().toString(), options)) {
            BufferedImage ours = pipeline.generate(Request.of("a goat on a blue background")
                            .seed(7)
                            .size(256, 256)
                            .steps(6)
                            .guidanceScale(2))
                    .image()
                    .toBufferedImage();
            int most = 0;
            for (int y = 0; y < 256; y++) {
                for (int x = 0; x < 256; x++) {
                    for (int shift = 0; shift < 24; shift += 8) {
                        int difference = (ours.getRGB(x, y) >> shift & 255) - (expected.getRGB(x, y) >> shift & 255);
                        most = Math.max(most, Math.abs(difference));
                    }
                }
            }
            assertThat(most).isLessThanOrEqualTo(TOLERANCE);
        }
    }
}
