package io.tome4j.diffusion.pixels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.OptionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Edges, compared with OpenCV's: {@code reference/parts/canny.py}. */
class CannyTest {
    static Stream<JsonNode> cases() {
        return Fixtures.cases("canny/cases.json").stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void edgesAreThoseOfOpenCv(JsonNode c) {
        Pixels image =
                ImageFiles.read(Fixtures.path("controlnet/" + c.get("image").textValue()));
        Pixels seen = c.get("mode").textValue().equals("L") ? image.toGrey() : image;
        Pixels edges = new Canny(c.get("low").intValue(), c.get("high").intValue()).of(seen);
        Pixels expected =
                ImageFiles.read(Fixtures.path("canny/" + c.get("edges").textValue()));
        int different = 0;
        for (int y = 0; y < edges.height(); y++) {
            for (int x = 0; x < edges.width(); x++) {
                different += edges.at(x, y, 0) == expected.at(x, y, 0) ? 0 : 1;
            }
        }
        assertThat(different).isZero();
    }

    @Test
    void anImageOfOneColourHasNoEdges() {
        Pixels edges = new Canny(0, 0).of(Pixels.grey(5, 4, new byte[20]));
        assertThat(edges.values()).containsOnly(0);
        assertThat(new Canny(10, 20).of(Pixels.grey(1, 1, new byte[1])).values())
                .containsOnly(0);
    }

    @Test
    void thresholdsThatCannotBeAreSaid() {
        assertThatThrownBy(() -> new Canny(200, 100))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("100,200");
        assertThatThrownBy(() -> new Canny(-1, 100)).isInstanceOf(OptionException.class);
    }
}
