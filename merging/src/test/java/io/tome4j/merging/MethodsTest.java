package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.merging.ToMeOptions.MatchPer;
import io.tome4j.merging.ToMeOptions.Method;
import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.merging.example.OwnTransformer;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MethodsTest {
    private static final TokenGrid GRID = new TokenGrid(8, 8);
    private static final int CHANNELS = 16;
    private static final int HEADS = 2;
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);

    private static AttentionMerge attention(ToMeOptions options, Tensor hidden, Tensor normed) {
        var model = new OwnTransformer(GRID, CHANNELS);
        // matchings belong to the run unless each block has its own
        ToMeOptions alone = options.method() == Method.TODO ? options : options.matchPer(MatchPer.BLOCK);
        try (var run = MergeRun.of(model, alone, 0, 1)) {
            return run.step(0)
                    .merge(model.mergeableBlocks().get(0), hidden, normed, GRID)
                    .attention();
        }
    }

    private static Tensor tokens(int seed) {
        return Tensors.randn(Tensors.generator(seed), 2, GRID.tokens(), CHANNELS);
    }

    @Test
    void tomeMergesAllByTheBlocksInput() {
        try (var scope = TensorScope.open()) {
            AttentionMerge merge = attention(HALF, tokens(1), tokens(2));
            assertThat(merge.seesOneSequence()).isTrue();
            assertThat(merge.weights()).isSameAs(KeyWeights.EQUAL);
            AttentionMerge same = attention(HALF, tokens(1), tokens(3));
            assertThat(groups(merge)).isEqualTo(groups(same));
        }
    }

    private static long[] groups(AttentionMerge merge) {
        return Tensors.longs(((MergePlan) merge.queries()).groups());
    }

    @Test
    void queryMergesQueriesAloneByWhatTheyAreProjectedFrom() {
        try (var scope = TensorScope.open()) {
            AttentionMerge merge = attention(HALF.method(Method.QUERY), tokens(1), tokens(2));
            assertThat(merge.keys()).isSameAs(TokenMerge.NONE);
            assertThat(merge.queries().merge(tokens(1)).size(1)).isEqualTo(32);
            // the plan is the one that ToMe makes of the same tokens
            assertThat(groups(merge)).isEqualTo(groups(attention(HALF, tokens(2), tokens(2))));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "8, 8, 0.75, 4, 4",
        "9, 6, 0.75, 5, 3",
        "8, 8, 0.5, 6, 6",
        "9, 9, 0.8888889, 3, 3",
        "5, 7, 0, 5, 7",
        "4, 4, 1, 1, 1"
    })
    void todoKeepsTheNearestTokenOfEachPointOfACoarserGrid(int height, int width, double ratio, int h, int w) {
        try (var scope = TensorScope.open()) {
            Tensor map = Tensors.randn(Tensors.generator(1), 2, CHANNELS, height, width);
            Tensor tokens = map.flatten(2, 3).transpose(1, 2); // [B, HW, C]
            Tensor sampled =
                    GridSampling.of(new TokenGrid(height, width), ratio).merge(tokens);
            Tensor expected = torch.upsample_nearest2d(map, new long[] {h, w})
                    .flatten(2, 3)
                    .transpose(1, 2);
            assertThat(Tensors.floats(sampled)).isEqualTo(Tensors.floats(expected));
        }
    }

    @Test
    void todoLeavesQueriesWhole() {
        try (var scope = TensorScope.open()) {
            AttentionMerge merge = attention(HALF.withRatio(0.75).method(Method.TODO), tokens(1), tokens(1));
            assertThat(merge.queries()).isSameAs(TokenMerge.NONE);
            assertThat(merge.keys().merge(tokens(1)).size(1)).isEqualTo(16);
        }
    }

    @ParameterizedTest
    @EnumSource(AttentionKernel.class)
    void aKeyOfNTokensCountsAsNKeys(AttentionKernel kernel) {
        try (var scope = TensorScope.open()) {
            Tensor x = tokens(1);
            AttentionMerge merge = attention(HALF.sizeWeighted(true), x, x);
            MergePlan plan = (MergePlan) merge.queries();
            Tensor merged = plan.merge(x);
            Tensor actual = merge.weights().attend(x, merged, merged, HEADS, KeyWeights.Attention.of(kernel));
            // unmerging repeats each key as often as it stands for a token
            Tensor repeated = plan.unmerge(merged);
            Tensor expected = AttentionKernel.NAIVE.attend(x, repeated, repeated, HEADS);
            assertClose(actual, expected, 1e-5f);
            assertThat(Tensors.floats(plan.sizes().sum(1))).containsOnly(64);
        }
    }

    private static void assertClose(Tensor actual, Tensor expected, float offset) {
        float[] a = Tensors.floats(actual);
        float[] b = Tensors.floats(expected);
        assertThat(Tensors.shape(actual)).isEqualTo(Tensors.shape(expected));
        for (int i = 0; i < a.length; i++) {
            assertThat(a[i]).isCloseTo(b[i], within(offset));
        }
    }

    @Test
    void aModelOfOnesOwnSeesWhatTheMethodLeaves() {
        var model = new OwnTransformer(GRID, CHANNELS);
        try (var scope = TensorScope.open()) {
            Tensor x = tokens(1);
            float[] unpatched = Tensors.floats(model.forward(x));
            for (var seen : List.of(
                    new Seen(HALF, 32, 32),
                    new Seen(HALF.sizeWeighted(true), 32, 32),
                    new Seen(HALF.matchPer(MatchPer.LEVEL), 32, 32),
                    new Seen(HALF.method(Method.QUERY), 32, 64),
                    new Seen(HALF.withRatio(0.75).method(Method.TODO), 64, 16))) {
                ToMe.applyPatch(model, seen.options);
                assertThat(Tensors.floats(model.forward(x)))
                        .hasSameSizeAs(unpatched)
                        .isNotEqualTo(unpatched);
                assertThat(model.mergeableBlocks())
                        .allMatch(block -> block.queriesSeen() == seen.queries && block.keysSeen() == seen.keys);
            }
        }
    }

    private record Seen(ToMeOptions options, long queries, long keys) {}

    @Test
    void optionsThatHaveNoEffectTogetherAreErrors() {
        assertThatThrownBy(() -> HALF.mode(Mode.TOMESD).matchPer(MatchPer.LEVEL))
                .hasMessageContaining("mode tomesd");
        assertThatThrownBy(() -> HALF.mode(Mode.TOMESD).method(Method.QUERY)).hasMessageContaining("mode tomesd");
        assertThatThrownBy(() -> HALF.method(Method.TODO).mergeMlp(true)).hasMessageContaining("merge_mlp need");
        assertThatThrownBy(() -> HALF.method(Method.TODO).matchEvery(2)).hasMessageContaining("matches no tokens");
        assertThatThrownBy(() -> HALF.method(Method.QUERY).sizeWeighted(true)).hasMessageContaining("method tome");
        assertThatThrownBy(() -> HALF.matchEvery(0)).hasMessageContaining("match_every is 0");
    }

    @Test
    void tomesdsModeBringsItsMatching() {
        assertThat(HALF.mode(Mode.TOMESD).matchPer()).isEqualTo(MatchPer.BLOCK);
        assertThat(HALF.mode(Mode.TOMESD).matchPrecision()).isEqualTo(Precision.INPUT);
        assertThat(HALF.mode(Mode.TOMESD).mode(Mode.SEEDED)).isEqualTo(HALF);
    }
}
