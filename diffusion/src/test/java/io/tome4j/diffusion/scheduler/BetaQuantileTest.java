package io.tome4j.diffusion.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BetaQuantileTest {
    /** What {@code scipy.stats.beta.ppf(share, 0.6, 0.6)} gives. */
    @ParameterizedTest
    @CsvSource({
        "0.0, 0.0",
        "1e-06, 1.8558824624053043e-10",
        "0.001, 1.855873851745199e-05",
        "0.05, 0.012554456873611399",
        "0.1111111111111111, 0.04709181754904242",
        "0.25, 0.17568037865269498",
        "0.3333333333333333, 0.2754132907776234",
        "0.5, 0.5000000000000001",
        "0.6, 0.6372990092467856",
        "0.75, 0.824319621347305",
        "0.9473684210526315, 0.9863289184355307",
        "0.999, 0.9999814412614826",
        "1.0, 1.0"
    })
    void quantilesAreScipys(double share, double quantile) {
        assertThat(BetaQuantile.at(share)).isCloseTo(quantile, offset(1e-13 + 1e-12 * quantile));
    }

    @Test
    void shareBelowAQuantileIsTheShare() {
        for (double share = 0.001; share <= 0.5; share += 0.007) {
            assertThat(BetaQuantile.shareBelow(BetaQuantile.at(share))).isCloseTo(share, offset(1e-14));
        }
    }
}
