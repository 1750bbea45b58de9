package io.tome4j.evaluation.measures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageMeasureTest {
    private static ImageMeasure lpips() {
        return ImageMeasure.lpips(MeasureFixtures.path("lpips.pt"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd", "square", "plain", "narrow", "large", "wide"})
    void eachMeasureEqualsItsReference(String pair) {
        try (ImageMeasure lpips = lpips()) {
            BufferedImage first = MeasureFixtures.image(pair + "-a");
            BufferedImage second = MeasureFixtures.image(pair + "-b");
            var expected = MeasureFixtures.cases("/pairs/" + pair);
            for (ImageMeasure measure : List.of(ImageMeasure.PSNR, ImageMeasure.SSIM, ImageMeasure.MS_SSIM, lpips)) {
                boolean known = expected.has(measure.name());
                assertThat(measure.fits(first.getWidth(), first.getHeight())).isEqualTo(known);
                if (known) {
                    assertThat(measure.between(first, second))
                            .as(measure.name())
                            .isCloseTo(expected.get(measure.name()).asDouble(), within(1e-6));
                }
            }
        }
    }

    @Test
    void equalImagesAreAsNearAsCanBe() {
        BufferedImage image = MeasureFixtures.image("large-a");
        try (ImageMeasure lpips = lpips()) {
            assertThat(ImageMeasure.PSNR.between(image, image)).isEqualTo(Double.POSITIVE_INFINITY);
            assertThat(ImageMeasure.SSIM.between(image, image)).isCloseTo(1, within(1e-9));
            assertThat(ImageMeasure.MS_SSIM.between(image, image)).isCloseTo(1, within(1e-9));
            assertThat(lpips.between(image, image)).isZero();
        }
    }

    @Test
    void valuesAreShownWithTheirUnit() {
        assertThat(ImageMeasure.PSNR.shown(31.4159)).isEqualTo("31.42 dB");
        assertThat(ImageMeasure.PSNR.shown(Double.POSITIVE_INFINITY)).isEqualTo("infinite");
        assertThat(ImageMeasure.MS_SSIM.title() + " " + ImageMeasure.MS_SSIM.shown(0.97314))
                .isEqualTo("MS-SSIM 0.9731");
    }

    @Test
    void imagesOfOtherSizesAreRefused() {
        assertThatThrownBy(() ->
                        ImageMeasure.PSNR.between(MeasureFixtures.image("odd-a"), MeasureFixtures.image("square-a")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("47 x 33 and 64 x 64 pixels cannot be compared");
    }

    @Test
    void whatIsNoNumberIsNoScore() {
        BufferedImage image = MeasureFixtures.image("square-a");
        ImageMeasure broken = new ImageMeasure("broken", (a, b) -> Double.NaN);
        assertThatThrownBy(() -> broken.between(image, image))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("BROKEN says nothing of these images");
    }

    @Test
    void tooSmallAImageIsRefusedWithTheSmallestThatWillDo() {
        BufferedImage small = new BufferedImage(200, 175, BufferedImage.TYPE_INT_RGB);
        assertThatThrownBy(() -> ImageMeasure.MS_SSIM.between(small, small))
                .isInstanceOf(TomeException.class)
                .hasMessage("MS-SSIM needs images of 176 x 176 pixels or more; these have 200 x 175.");
        BufferedImage tiny = new BufferedImage(10, 40, BufferedImage.TYPE_INT_RGB);
        assertThatThrownBy(() -> ImageMeasure.SSIM.between(tiny, tiny)).hasMessageContaining("11 x 11");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "features.pt | features.pt failed on 2 batches of images",
                "nowhere.pt | There is no file",
                "square-a.png | square-a.png holds no TorchScript network",
            })
    void aNetworkThatIsNoLpipsIsNamed(String file, String message) {
        BufferedImage image = MeasureFixtures.image("square-a");
        assertThatThrownBy(() -> {
                    try (ImageMeasure measure = ImageMeasure.lpips(MeasureFixtures.path(file))) {
                        measure.between(image, image);
                    }
                })
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void anEmptyFileIsNoNetwork(@TempDir Path folder) throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.pt"));
        assertThatThrownBy(() -> ImageMeasure.lpips(empty)).hasMessageContaining("holds no TorchScript network");
    }

    @Test
    void fiftyComparisonsLeaveNothingBehind() {
        BufferedImage first = MeasureFixtures.image("large-a");
        BufferedImage second = MeasureFixtures.image("large-b");
        lpips().close();
        long before = TensorScope.liveObjects();
        try (ImageMeasure lpips = lpips()) {
            long loaded = TensorScope.liveObjects();
            for (int i = 0; i < 50; i++) {
                ImageMeasure.SSIM.between(first, second);
                ImageMeasure.MS_SSIM.between(first, second);
                lpips.between(first, second);
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
