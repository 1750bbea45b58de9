package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BipartiteSoftMatchingTest {
    private static final int CHANNELS = 5;

    private static MergePlan plan(Tensor metric, TokenGrid grid, int r) {
        return (MergePlan)
                BipartiteSoftMatching.random2d(metric, grid, 2, 2, r, DestinationDraw.seeded(11), Precision.FP32);
    }

    /** Tokens of each group of the first image, by the row that stands for it. */
    private static Map<Long, List<Integer>> groups(MergePlan plan) {
        long[] rows = Tensors.longs(plan.groups().select(0, 0));
        Map<Long, List<Integer>> groups = new HashMap<>();
        for (int token = 0; token < rows.length; token++) {
            groups.computeIfAbsent(rows[token], row -> new ArrayList<>()).add(token);
        }
        return groups;
    }

    @ParameterizedTest
    @CsvSource({"8, 8, 32", "7, 5, 9", "9, 6, 1", "6, 6, 27"})
    void mergedTokensAreTheMeanOfTheirGroup(int height, int width, int r) {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(height, width);
            Tensor x = Tensors.randn(Tensors.generator(1), 1, grid.tokens(), CHANNELS);
            MergePlan plan = plan(x, grid, r);
            float[] tokens = Tensors.floats(x);
            float[] merged = Tensors.floats(plan.merge(x));
            Map<Long, List<Integer>> groups = groups(plan);

            assertThat(plan.tokensAfter()).isEqualTo(grid.tokens() - r);
            assertThat(groups).hasSize(grid.tokens() - r);
            groups.forEach((row, members) -> {
                for (int c = 0; c < CHANNELS; c++) {
                    int channel = c;
                    double mean = members.stream()
                            .mapToDouble(token -> tokens[token * CHANNELS + channel])
                            .average()
                            .orElseThrow();
                    assertThat(merged[row.intValue() * CHANNELS + c]).isCloseTo((float) mean, within());
                }
            });
        }
    }

    private static org.assertj.core.data.Offset<Float> within() {
        return org.assertj.core.data.Offset.offset(1e-5f);
    }

    @Test
    void unmergingGivesEachTokenItsGroupsValue() {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(6, 8);
            Tensor x = Tensors.randn(Tensors.generator(2), 2, grid.tokens(), CHANNELS);
            MergePlan plan = plan(x, grid, 20);
            Tensor merged = plan.merge(x);
            float[] rows = Tensors.floats(merged.reshape(-1, CHANNELS));
            float[] back = Tensors.floats(plan.unmerge(merged));
            long[] group = Tensors.longs(plan.groups());
            for (int i = 0; i < back.length; i++) {
                assertThat(back[i]).isEqualTo(rows[(int) group[i / CHANNELS] * CHANNELS + i % CHANNELS]);
            }
        }
    }

    @Test
    void theMostSimilarPairsAreMerged() {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(4, 4);
            Tensor x = Tensors.randn(Tensors.generator(3), 1, 16, CHANNELS);
            // Token 6 looks like token 8, the top left of the third cell; all else is random.
            x.select(0, 0).select(0, 6).copy_(x.select(0, 0).select(0, 8));
            MergePlan plan = (MergePlan)
                    BipartiteSoftMatching.random2d(x, grid, 2, 2, 1, DestinationDraw.TOP_LEFT, Precision.FP32);
            assertThat(groups(plan).values()).contains(List.of(6, 8));
        }
    }

    @Test
    void eachWholeCellHasOneDestinationThatIsNeverMergedAway() {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(6, 6);
            Tensor x = Tensors.randn(Tensors.generator(4), 1, 36, CHANNELS);
            MergePlan plan = plan(x, grid, 27); // every source: what is left are the destinations
            groups(plan).values().forEach(members -> {
                long cells =
                        members.stream().filter(token -> isDrawn(grid, token)).count();
                assertThat(cells).isEqualTo(1);
            });
            assertThat(groups(plan)).hasSize(9);
        }
    }

    private static boolean isDrawn(TokenGrid grid, int token) {
        long[] drawn = DestinationDraw.seeded(11).draw(grid.destinations(2, 2), 4);
        int y = token / grid.width();
        int x = token % grid.width();
        return drawn[y / 2 * (grid.width() / 2) + x / 2] == y % 2 * 2L + x % 2;
    }

    @Test
    void imagesOfABatchAreMatchedEachForItself() {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(8, 8);
            Tensor x = Tensors.randn(Tensors.generator(5), 2, 64, CHANNELS);
            Tensor both = plan(x, grid, 32).merge(x);
            Tensor second = Tensors.slice(x, 0, 1, 2);
            Tensor alone = plan(second, grid, 32).merge(second);
            assertThat(Tensors.floats(both.select(0, 1))).isEqualTo(Tensors.floats(alone.select(0, 0)));
        }
    }

    @Test
    void nothingToMergeGivesTheTensorItself() {
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(6), 1, 16, CHANNELS);
            var none = BipartiteSoftMatching.random2d(
                    x, new TokenGrid(4, 4), 2, 2, 0, DestinationDraw.TOP_LEFT, Precision.FP32);
            assertThat(none.merge(x)).isSameAs(x);
            var noWholeCell = BipartiteSoftMatching.random2d(
                    x, new TokenGrid(1, 16), 2, 2, 8, DestinationDraw.TOP_LEFT, Precision.FP32);
            assertThat(noWholeCell.merge(x)).isSameAs(x);
        }
    }

    @Test
    void tokensOfNothingButZerosDoNotSpoilTheOthers() {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(4, 4);
            Tensor x = Tensors.randn(Tensors.generator(7), 1, 16, CHANNELS);
            Tensors.slice(x, 1, 0, 4).zero_();
            assertThat(Tensors.floats(plan(x, grid, 8).merge(x))).doesNotContain(Float.NaN);
        }
    }

    @Test
    void bf16TokensAreMatchedAsTheirFp32ValuesAre() {
        try (var scope = TensorScope.open()) {
            var grid = new TokenGrid(16, 16);
            // near-duplicates: in bf16 their similarities would tie
            Tensor x = Tensors.randn(Tensors.generator(8), 1, 1, CHANNELS)
                    .add(Tensors.randn(Tensors.generator(9), 1, 256, CHANNELS)
                            .mul(new org.bytedeco.pytorch.Scalar(0.02)));
            Tensor rounded = x.to(ScalarType.BFloat16);
            assertThat(Tensors.longs(plan(rounded, grid, 100).groups()))
                    .isEqualTo(Tensors.longs(
                            plan(rounded.to(ScalarType.Float), grid, 100).groups()));
        }
    }

    @Test
    void aGridThatDoesNotFitTheTokensIsRefused() {
        try (var scope = TensorScope.open()) {
            Tensor x = torch.ones(1, 16, CHANNELS);
            assertThatThrownBy(() -> plan(x, new TokenGrid(4, 5), 4))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[1, 16, 5]")
                    .hasMessageContaining("20 tokens");
        }
    }

    @Test
    void leavesNothingBehind() {
        Engine.start();
        long before = TensorScope.liveObjects();
        for (int i = 0; i < 20; i++) {
            try (var scope = TensorScope.open()) {
                Tensor x = Tensors.randn(Tensors.generator(i), 2, 64, CHANNELS);
                MergePlan plan = plan(x, new TokenGrid(8, 8), 32);
                plan.unmerge(plan.merge(x));
            }
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
