package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StreamingMatcherTest {
    private static final int TOKENS = 60;
    private static final int CHANNELS = 12;
    private static final long[] DESTINATIONS =
            LongStream.range(0, TOKENS).filter(i -> i % 4 == 1).toArray();
    private static final long[] SOURCES =
            LongStream.range(0, TOKENS).filter(i -> i % 4 != 1).toArray();

    private static Best match(Tensor metric, Precision precision, long tile) {
        return StreamingMatcher.withTiles(precision, tile)
                .match(metric, Tensors.of(SOURCES, SOURCES.length), Tensors.of(DESTINATIONS, DESTINATIONS.length));
    }

    private static Tensor tokens(int seed, double noise) {
        Tensor common = Tensors.randn(Tensors.generator(seed), 2, 1, CHANNELS);
        return Tensors.randn(Tensors.generator(seed + 1), 2, TOKENS, CHANNELS)
                .mul(new Scalar(noise))
                .add(common);
    }

    private static double cosine(float[] x, long a, long b) {
        double product = 0;
        double first = 0;
        double second = 0;
        for (int c = 0; c < CHANNELS; c++) {
            double p = x[(int) a * CHANNELS + c];
            double q = x[(int) b * CHANNELS + c];
            product += p * q;
            first += p * p;
            second += q * q;
        }
        return product / Math.sqrt(first * second);
    }

    /** How much less similar a chosen destination is than the most similar one, on average. */
    private static double loss(Tensor metric, Best best) {
        double loss = 0;
        long[] chosen = Tensors.longs(best.destination());
        for (int b = 0; b < 2; b++) {
            float[] x = Tensors.floats(metric.select(0, b));
            for (int s = 0; s < SOURCES.length; s++) {
                long source = SOURCES[s];
                double most = Arrays.stream(DESTINATIONS)
                        .mapToDouble(d -> cosine(x, source, d))
                        .max()
                        .orElseThrow();
                long destination = DESTINATIONS[(int) chosen[b * SOURCES.length + s]];
                loss += (most - cosine(x, source, destination)) / chosen.length;
            }
        }
        return loss;
    }

    @Test
    void eachSourceGetsTheDestinationOfTheLargestCosine() {
        try (var scope = TensorScope.open()) {
            Tensor x = tokens(1, 1);
            Best best = match(x, Precision.FP32, 1 << 20);
            assertThat(loss(x, best)).isLessThan(1e-6);
            float[] first = Tensors.floats(x.select(0, 0));
            long destination = DESTINATIONS[(int) Tensors.longs(best.destination())[0]];
            assertThat(Tensors.floats(best.similarity())[0])
                    .isCloseTo((float) cosine(first, SOURCES[0], destination), within(1e-6f));
        }
    }

    private static org.assertj.core.data.Offset<Float> within(float offset) {
        return org.assertj.core.data.Offset.offset(offset);
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void tilesOfAllSizesGiveTheSame(Precision precision) {
        try (var scope = TensorScope.open()) {
            Tensor x = tokens(3, 1).to(ScalarType.BFloat16);
            Best whole = match(x, precision, 1 << 20);
            for (long tile : new long[] {1, DESTINATIONS.length * 2L, 100, 300, 674, 675}) {
                Best best = match(x, precision, tile);
                assertThat(Tensors.longs(best.destination())).isEqualTo(Tensors.longs(whole.destination()));
                assertThat(Tensors.floats(best.similarity())).isEqualTo(Tensors.floats(whole.similarity()));
            }
        }
    }

    @Test
    void ofNearDuplicatesBf16DistancesFindBetterDestinationsThanBf16Similarities() {
        try (var scope = TensorScope.open()) {
            Tensor x = tokens(5, 0.05).to(ScalarType.BFloat16);
            double distances = loss(x, match(x, Precision.BF16, 1 << 20));
            assertThat(distances).isLessThan(loss(x, match(x, Precision.INPUT, 1 << 20)) / 2);
        }
    }

    @Test
    void ofSourcesEquallySimilarTheFirstAreMerged() {
        try (var scope = TensorScope.open()) {
            Tensor x = torch.ones(2, 16, CHANNELS);
            MergePlan plan = (MergePlan) BipartiteSoftMatching.random2d(
                    x, new TokenGrid(4, 4), 2, 2, 5, DestinationDraw.TOP_LEFT, Precision.FP32);
            long[] groups = Tensors.longs(plan.groups().select(0, 0));
            // The sources are 1, 3, 4, 5, 6, 7, 9, ...; all are like the first destination, token 0.
            assertThat(new long[] {groups[1], groups[3], groups[4], groups[5], groups[6]})
                    .containsOnly(groups[0]);
            assertThat(new long[] {groups[7], groups[9], groups[15]}).doesNotContain(groups[0]);
        }
    }

    @Test
    void notANumberDoesNotUpsetHowManyAreMerged() {
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(7), 1, 16, CHANNELS);
            Tensors.slice(x, 1, 3, 9).fill_(new Scalar(Double.NaN));
            MergePlan plan = (MergePlan) BipartiteSoftMatching.random2d(
                    x, new TokenGrid(4, 4), 2, 2, 8, DestinationDraw.TOP_LEFT, Precision.FP32);
            assertThat(Tensors.shape(plan.merge(x))).containsExactly(1, 8, CHANNELS);
            assertThat(LongStream.of(Tensors.longs(plan.groups()))).allMatch(row -> row >= 0 && row < 8);
        }
    }
}
