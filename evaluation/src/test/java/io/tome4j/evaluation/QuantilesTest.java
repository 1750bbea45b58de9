package io.tome4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class QuantilesTest {
    @Test
    void theMedianIsTheMiddleOrTheMeanOfTheTwoThere() {
        assertThat(Quantiles.median(3, 1, 2)).isEqualTo(2);
        assertThat(Quantiles.median(4, 1, 3, 2)).isEqualTo(2.5);
        assertThat(Quantiles.median(List.of(7.0))).isEqualTo(7);
        assertThat(Quantiles.median()).isNaN();
    }

    /** The expected values are those of {@code numpy.quantile}. */
    @Test
    void quantilesAreInterpolatedAsNumpyDoesIt() {
        double[] values = {2.6, 3.0, 2.5, 4.1};
        assertThat(Quantiles.quantile(0, values)).isEqualTo(2.5);
        assertThat(Quantiles.quantile(0.25, values)).isCloseTo(2.575, within(1e-12));
        assertThat(Quantiles.quantile(0.75, values)).isCloseTo(3.275, within(1e-12));
        assertThat(Quantiles.quantile(1, values)).isEqualTo(4.1);
        assertThat(values).containsExactly(2.6, 3.0, 2.5, 4.1);
    }
}
