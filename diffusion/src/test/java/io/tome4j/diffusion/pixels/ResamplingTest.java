package io.tome4j.diffusion.pixels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ResamplingTest {
    static List<JsonNode> resized() {
        return PixelFixtures.all("resize");
    }

    static List<JsonNode> blurred() {
        return PixelFixtures.all("blur");
    }

    @ParameterizedTest
    @MethodSource("resized")
    void resizesToTheBitAsPil(JsonNode c) {
        Pixels expected = PixelFixtures.pixels(c);
        Pixels image = PixelFixtures.the(expected.bands() == 1 ? "grey" : "image");
        Resampling filter = Resampling.valueOf(c.get("filter").textValue());
        assertThat(filter.resize(image, expected.width(), expected.height())).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("blurred")
    void blursToTheBitAsPil(JsonNode c) {
        Pixels image = PixelFixtures.the("image");
        assertThat(GaussianBlur.of(image, c.get("radius").doubleValue())).isEqualTo(PixelFixtures.pixels(c));
    }

    @Test
    void greyIsPilsLuma() {
        assertThat(PixelFixtures.the("image").toGrey()).isEqualTo(PixelFixtures.the("grey"));
    }

    @Test
    void blendsThroughAMaskAsPilPastes() {
        Pixels blended = PixelFixtures.the("image").blend(PixelFixtures.the("other"), PixelFixtures.the("mask"));
        assertThat(blended).isEqualTo(PixelFixtures.the("pasted"));
    }

    @Test
    void anImageOfTheWantedSizeIsItself() {
        Pixels image = PixelFixtures.the("image");
        assertThat(Resampling.LANCZOS.resize(image, image.width(), image.height()))
                .isSameAs(image);
        assertThat(GaussianBlur.of(image, 0)).isSameAs(image);
    }

    @Test
    void croppingBeyondTheEdgesIsBlackThere() {
        Pixels image = PixelFixtures.the("image");
        Pixels cropped = image.crop(new Box(-2, 3, 4, 30));
        assertThat(cropped.at(1, 0, 0)).isZero();
        assertThat(cropped.at(2, 0, 1)).isEqualTo(image.at(0, 3, 1));
        assertThat(cropped.at(5, 26, 2)).isZero();
        assertThat(cropped.withPasted(image, -2, -3).at(0, 0, 2)).isEqualTo(image.at(2, 3, 2));
    }

    @Test
    void noPixelsAreNoImage() {
        Pixels image = PixelFixtures.the("image");
        assertThatThrownBy(() -> Resampling.BOX.resize(image, 0, 4)).hasMessageContaining("0 x 4");
        assertThatThrownBy(() -> new Box(3, 0, 3, 9)).hasMessageContaining("no pixels");
    }
}
