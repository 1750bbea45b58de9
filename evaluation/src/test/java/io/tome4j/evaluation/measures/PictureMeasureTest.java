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

class PictureMeasureTest {
    private static PictureMeasure lpips() {
        return PictureMeasure.lpips(MeasureFixtures.path("lpips.pt"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd", "square", "plain", "narrow", "large", "wide"})
    void eachMeasureEqualsItsReference(String pair) {
        try (PictureMeasure lpips = lpips()) {
            BufferedImage first = MeasureFixtures.picture(pair + "-a");
            BufferedImage second = MeasureFixtures.picture(pair + "-b");
            var expected = MeasureFixtures.cases("/pairs/" + pair);
            for (PictureMeasure measure :
                    List.of(PictureMeasure.PSNR, PictureMeasure.SSIM, PictureMeasure.MS_SSIM, lpips)) {
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
    void equalPicturesAreAsNearAsCanBe() {
        BufferedImage picture = MeasureFixtures.picture("large-a");
        try (PictureMeasure lpips = lpips()) {
            assertThat(PictureMeasure.PSNR.between(picture, picture)).isEqualTo(Double.POSITIVE_INFINITY);
            assertThat(PictureMeasure.SSIM.between(picture, picture)).isCloseTo(1, within(1e-9));
            assertThat(PictureMeasure.MS_SSIM.between(picture, picture)).isCloseTo(1, within(1e-9));
            assertThat(lpips.between(picture, picture)).isZero();
        }
    }

    @Test
    void valuesAreShownWithTheirUnit() {
        assertThat(PictureMeasure.PSNR.shown(31.4159)).isEqualTo("31.42 dB");
        assertThat(PictureMeasure.PSNR.shown(Double.POSITIVE_INFINITY)).isEqualTo("infinite");
        assertThat(PictureMeasure.MS_SSIM.title() + " " + PictureMeasure.MS_SSIM.shown(0.97314))
                .isEqualTo("MS-SSIM 0.9731");
    }

    @Test
    void picturesOfOtherSizesAreRefused() {
        assertThatThrownBy(() -> PictureMeasure.PSNR.between(
                        MeasureFixtures.picture("odd-a"), MeasureFixtures.picture("square-a")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("47 x 33 and 64 x 64 pixels cannot be compared");
    }

    @Test
    void tooSmallAPictureIsRefusedWithTheSmallestThatWillDo() {
        BufferedImage small = new BufferedImage(200, 175, BufferedImage.TYPE_INT_RGB);
        assertThatThrownBy(() -> PictureMeasure.MS_SSIM.between(small, small))
                .isInstanceOf(TomeException.class)
                .hasMessage("MS-SSIM needs pictures of 176 x 176 pixels or more; these have 200 x 175.");
        BufferedImage tiny = new BufferedImage(10, 40, BufferedImage.TYPE_INT_RGB);
        assertThatThrownBy(() -> PictureMeasure.SSIM.between(tiny, tiny)).hasMessageContaining("11 x 11");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "features.pt | features.pt failed on 2 batches of pictures",
                "nowhere.pt | There is no file",
                "square-a.png | square-a.png holds no TorchScript network",
            })
    void aNetworkThatIsNoLpipsIsNamed(String file, String message) {
        BufferedImage picture = MeasureFixtures.picture("square-a");
        assertThatThrownBy(() -> {
                    try (PictureMeasure measure = PictureMeasure.lpips(MeasureFixtures.path(file))) {
                        measure.between(picture, picture);
                    }
                })
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void anEmptyFileIsNoNetwork(@TempDir Path folder) throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.pt"));
        assertThatThrownBy(() -> PictureMeasure.lpips(empty)).hasMessageContaining("holds no TorchScript network");
    }

    @Test
    void fiftyComparisonsLeaveNothingBehind() {
        BufferedImage first = MeasureFixtures.picture("large-a");
        BufferedImage second = MeasureFixtures.picture("large-b");
        lpips().close();
        long before = TensorScope.liveObjects();
        try (PictureMeasure lpips = lpips()) {
            long loaded = TensorScope.liveObjects();
            for (int i = 0; i < 50; i++) {
                PictureMeasure.SSIM.between(first, second);
                PictureMeasure.MS_SSIM.between(first, second);
                lpips.between(first, second);
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
