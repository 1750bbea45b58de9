package io.tome4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShareTest {
    /** The expected values are those of {@code binomtest(k, n).proportion_ci(method="wilson")} in Python's scipy. */
    @ParameterizedTest
    @CsvSource({
        "120, 200, 0.5308367, 0.6653942",
        "0, 10, 0.0, 0.2775328",
        "10, 10, 0.7224672, 1.0",
        "1, 3, 0.0614919, 0.7923404",
        "170, 200, 0.7939442, 0.8928641"
    })
    void theIntervalIsWilsons(int successes, int trials, double low, double high) {
        Share share = Share.of(successes, trials);
        assertThat(share.value()).isEqualTo((double) successes / trials);
        assertThat(share.low()).isCloseTo(low, within(1e-6));
        assertThat(share.high()).isCloseTo(high, within(1e-6));
    }

    @Test
    void moreSuccessesThanTrialsCannotBe() {
        assertThatThrownBy(() -> Share.of(3, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Share.of(0, 0)).isInstanceOf(IllegalArgumentException.class);
    }
}
