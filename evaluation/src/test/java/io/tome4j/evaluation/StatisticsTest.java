package io.tome4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void theIntervalOfAMeanIsThatOfTheNormalDistribution() {
        Random random = new Random(1);
        double[] values = random.doubles(400).map(x -> 3 + x).toArray();
        Statistics statistics = Statistics.of(values);
        double deviation = Math.sqrt(Arrays.stream(values)
                        .map(v -> Math.pow(v - statistics.mean(), 2))
                        .sum()
                / 399);
        double half = 1.96 * deviation / Math.sqrt(400);
        assertThat(statistics.count()).isEqualTo(400);
        assertThat(statistics.meanInterval().low()).isCloseTo(statistics.mean() - half, within(0.1 * half));
        assertThat(statistics.meanInterval().high()).isCloseTo(statistics.mean() + half, within(0.1 * half));
    }

    @Test
    void inNineteenOfTwentySamplesTheIntervalsHoldTheTruth() {
        Random random = new Random(2);
        int means = 0;
        int medians = 0;
        for (int i = 0; i < 100; i++) {
            Statistics statistics = Statistics.of(IntStream.range(0, 50)
                    .mapToDouble(j -> random.nextGaussian())
                    .toArray());
            means += statistics.meanInterval().low() <= 0
                            && 0 <= statistics.meanInterval().high()
                    ? 1
                    : 0;
            medians += statistics.medianInterval().low() <= 0
                            && 0 <= statistics.medianInterval().high()
                    ? 1
                    : 0;
        }
        assertThat(means).isBetween(88, 100);
        assertThat(medians).isBetween(88, 100);
    }

    @Test
    void theSameNumbersHaveTheSameInterval() {
        assertThat(Statistics.of(1, 2, 3, 5)).isEqualTo(Statistics.of(1, 2, 3, 5));
        assertThat(Statistics.of(1, 2, 3, 5).median()).isEqualTo(2.5);
        assertThat(Statistics.of(4, 4, 4).meanInterval()).isEqualTo(new Statistics.Interval(4, 4));
    }

    @Test
    void infiniteNumbersAreOnlyCounted() {
        Statistics statistics = Statistics.of(Double.POSITIVE_INFINITY, 30, 32);
        assertThat(statistics.unbounded()).isEqualTo(1);
        assertThat(statistics.count()).isEqualTo(2);
        assertThat(statistics.mean()).isEqualTo(31);
        assertThat(Statistics.of(Double.POSITIVE_INFINITY).mean()).isNaN();
        assertThat(Statistics.of(7).meanInterval().isKnown()).isFalse();
    }
}
