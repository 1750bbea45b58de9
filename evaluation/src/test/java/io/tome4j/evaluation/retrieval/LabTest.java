package io.tome4j.evaluation.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LabTest {
    /** The expected values are those of {@code lab} in emoji/training/evaluate.py. */
    @ParameterizedTest
    @CsvSource({
        "255, 255, 255, 100.0000, 0.0000, 0.0000",
        "0, 0, 0, 0.0000, 0.0000, 0.0000",
        "255, 0, 0, 53.2408, 80.0924, 67.2032",
        "0, 255, 0, 87.7347, -86.1827, 83.1793",
        "0, 0, 255, 32.2970, 79.1875, -107.8602",
        "12, 34, 56, 12.6562, 0.1226, -16.8332",
        "200, 30, 120, 45.0362, 68.3168, -6.7622",
        "1, 2, 3, 0.5098, -0.1224, -0.4706",
        "128, 128, 128, 53.5850, 0.0000, 0.0000",
        "250, 215, 90, 86.8331, -1.4384, 64.2493"
    })
    void coloursAreWhereTheReferencePutsThem(int red, int green, int blue, float lightness, float a, float b) {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB);
        image.setRGB(1, 0, red << 16 | green << 8 | blue);
        float[] lab = Lab.of(image);
        assertThat(lab).hasSize(6);
        assertThat(lab[3]).isCloseTo(lightness, within(1e-3f));
        assertThat(lab[4]).isCloseTo(a, within(1e-3f));
        assertThat(lab[5]).isCloseTo(b, within(1e-3f));
    }
}
