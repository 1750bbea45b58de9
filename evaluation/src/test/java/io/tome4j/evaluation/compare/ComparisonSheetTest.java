package io.tome4j.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.evaluation.run.MapPlace;
import io.tome4j.merging.ToMeOptions;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ComparisonSheetTest {
    private static List<Panel> panels = List.of();

    /** Tells nobody. */
    private static final class Silent implements Comparison.Listener {
        @Override
        public void onImage(int number, int images, String label) {}

        @Override
        public boolean onStep(StepListener.Progress progress) {
            return true;
        }
    }

    @BeforeAll
    static void draw() {
        Path model = Path.of(System.getProperty("tome4j.fixtures"), "tiny-sd1");
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.toString(), PipelineOptions.DEFAULT)) {
            panels = new Comparison(
                            Request.of("a red apple").seed(1).steps(2).size(64, 64),
                            Setting.all(List.of("tome", "none+reuse-every=2"), List.of(0.5), ToMeOptions.ratio(0.5)),
                            List.of(ImageMeasure.PSNR, ImageMeasure.SSIM),
                            Optional.of(new MapPlace(Optional.empty(), 0)))
                    .run(pipeline, new Silent());
        }
    }

    @Test
    void aPanelMayReuseFeaturesInsteadOfMerging() {
        assertThat(panels).extracting(Panel::label).containsExactly("unmerged", "tome 0.5", "none+reuse-every=2");
        assertThat(panels.get(2).map()).isEmpty();
        assertThat(panels.get(2).distances()).hasSize(2);
        assertThat(panels.get(2).result().request().reuseEvery()).isEqualTo(2);
    }

    @Test
    void distancesHaveTheirUnits() {
        assertThat(panels.get(1).distances().get(0).shown()).matches("PSNR [0-9.]+ dB");
        assertThat(panels.get(1).distances().get(1).shown()).matches("SSIM -?[0-9.]+");
    }

    @Test
    void withoutFontsTheImagesAreThereAndTheLabelsAreNot() {
        BufferedImage labelled = new ComparisonSheet("title", panels, true, true).image();
        BufferedImage plain = new ComparisonSheet("title", panels, true, false).image();
        assertThat(plain.getWidth()).isEqualTo(labelled.getWidth());
        assertThat(plain.getHeight()).isEqualTo(labelled.getHeight());
        int imageTop = 18 + 2 * 8;
        assertThat(dark(labelled, 0, imageTop)).isPositive();
        assertThat(dark(plain, 0, imageTop)).isZero();
        assertThat(dark(labelled, imageTop + 64, imageTop + 64 + 54)).isPositive();
        assertThat(dark(plain, imageTop + 64, imageTop + 64 + 54)).isZero();
        assertThat(plain.getRGB(8, imageTop)).isEqualTo(labelled.getRGB(8, imageTop));
    }

    @Test
    void theWholeNameOfABlockStandsBelowItsMap() {
        String block = panels.get(1).map().orElseThrow().block();
        assertThat(block).isEqualTo("down_blocks.0.attentions.0.transformer_blocks.0");
        assertThat(ComparisonSheet.lines(panels.get(1).map().orElseThrow()))
                .containsExactly("64 tokens as 32, step 1", "down_blocks.0.attentions.0.", "transformer_blocks.0");
    }

    private static long dark(BufferedImage image, int top, int bottom) {
        long dark = 0;
        for (int y = top; y < bottom; y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                dark += new Color(image.getRGB(x, y)).getRed() < 128 ? 1 : 0;
            }
        }
        return dark;
    }
}
