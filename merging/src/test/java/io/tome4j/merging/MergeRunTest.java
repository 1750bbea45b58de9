package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.merging.ToMeOptions.MatchPer;
import io.tome4j.merging.example.OwnTransformer;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class MergeRunTest {
    private static final TokenGrid GRID = new TokenGrid(8, 8);
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);

    private static List<TokenMerger> mergers(ToMeOptions options) {
        var model = new OwnTransformer(GRID, 8);
        ToMe.applyPatch(model, options);
        return model.mergeableBlocks().stream()
                .map(OwnTransformer.Block::merger)
                .toList();
    }

    private static Tensor tokens(int seed) {
        return Tensors.randn(Tensors.generator(seed), 2, GRID.tokens(), 8);
    }

    private static TokenMerge match(TokenMerger merger, Tensor x, MergeContext context) {
        return merger.match(x, x, GRID, context).attention().queries();
    }

    @Test
    void theBlocksOfALevelUseTheFirstOnesMatchingInAStepAndAnotherInTheNext() {
        List<TokenMerger> blocks = mergers(HALF.matchPer(MatchPer.LEVEL));
        try (var scope = TensorScope.open();
                var run = MergeRun.of(1)) {
            TokenMerge first = match(blocks.get(0), tokens(1), run.step(0));
            assertThat(match(blocks.get(1), tokens(2), run.step(0))).isSameAs(first);
            long[] groups = Tensors.longs(((MergePlan) first).groups());
            TokenMerge next = match(blocks.get(0), tokens(2), run.step(1));
            assertThat(next).isNotSameAs(first);
            assertThat(Tensors.longs(((MergePlan) next).groups())).isNotEqualTo(groups);
        }
    }

    @Test
    void aMatchingIsKeptForSoManyStepsCountedFromTheFirst() {
        TokenMerger block = mergers(HALF.matchEvery(3)).get(0);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(1)) {
            TokenMerge first = match(block, tokens(1), run.step(0));
            assertThat(match(block, tokens(2), run.step(1))).isSameAs(first);
            assertThat(match(block, tokens(3), run.step(2))).isSameAs(first);
            TokenMerge second = match(block, tokens(4), run.step(4)); // step 3 was skipped
            assertThat(second).isNotSameAs(first);
            assertThat(match(block, tokens(5), run.step(5))).isSameAs(second);
            assertThat(match(block, tokens(6), run.step(6))).isNotSameAs(second);
        }
    }

    @Test
    void blocksKeepTheirOwnUnlessTheyShareByLevel() {
        List<TokenMerger> blocks = mergers(HALF.matchPer(MatchPer.BLOCK).matchEvery(2));
        try (var scope = TensorScope.open();
                var run = MergeRun.of(1)) {
            TokenMerge first = match(blocks.get(0), tokens(1), run.step(0));
            TokenMerge second = match(blocks.get(1), tokens(1), run.step(0));
            assertThat(second).isNotSameAs(first);
            assertThat(match(blocks.get(0), tokens(2), run.step(1))).isSameAs(first);
            assertThat(match(blocks.get(1), tokens(2), run.step(1))).isSameAs(second);
        }
    }

    @Test
    void whatDoesNotFitIsMatchedAnew() {
        ToMeOptions options = HALF.matchPer(MatchPer.LEVEL).matchEvery(2);
        TokenMerger block = mergers(options).get(0);
        TokenMerger ofAnotherModel = mergers(options).get(1);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(1);
                var nextImage = MergeRun.of(1)) {
            TokenMerge first = match(block, tokens(1), run.step(0));
            assertThat(match(ofAnotherModel, tokens(1), run.step(0))).isNotSameAs(first);
            Tensor one = Tensors.slice(tokens(1), 0, 0, 1);
            assertThat(match(block, one, run.step(1)).merge(one).size(0)).isEqualTo(1);
            Tensor larger = Tensors.randn(Tensors.generator(1), 2, 100, 8);
            TokenMerge ofLarger = block.match(larger, larger, new TokenGrid(10, 10), run.step(1))
                    .attention()
                    .queries();
            assertThat(ofLarger.merge(larger).size(1)).isEqualTo(50);
            assertThat(match(block, tokens(1), nextImage.step(0))).isNotSameAs(first);
            assertThat(match(block, tokens(1), run.step(1))).isSameAs(first);
            // the same block again in the same step: another forward pass
            assertThat(match(block, tokens(1), run.step(1))).isNotSameAs(first);
        }
    }

    @Test
    void theSameRunGivesTheSameMatchingsWhateverRanBefore() {
        List<TokenMerger> blocks =
                mergers(HALF.matchPer(MatchPer.LEVEL).matchEvery(4).matchTogether(true));
        try (var scope = TensorScope.open()) {
            long[][] groups = new long[2][];
            for (int i = 0; i < 2; i++) {
                try (var run = MergeRun.of(7, 2)) {
                    match(blocks.get(0), tokens(1), run.step(0));
                    groups[i] = Tensors.longs(((MergePlan) match(blocks.get(1), tokens(2), run.step(1))).groups());
                }
                try (var other = MergeRun.of(8, 2)) {
                    match(blocks.get(1), tokens(3), other.step(1));
                }
            }
            assertThat(groups[1]).isEqualTo(groups[0]);
        }
    }

    @Test
    void copiesOfAnImageAreMatchedOnceByTheirMean() {
        TokenMerger together = mergers(HALF.matchTogether(true).useRand(false)).get(0);
        TokenMerger apart = mergers(HALF.useRand(false)).get(0);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(1, 2)) {
            Tensor images = Tensors.cat(0, tokens(1), tokens(2)); // [4, 64, 8]: two images, twice
            MergePlan plan = (MergePlan) match(together, images, run.step(0));
            Tensor mean = tokens(1).add(tokens(2)).div(new org.bytedeco.pytorch.Scalar(2));
            long[] expected = Tensors.longs(((MergePlan) match(apart, mean, run.step(0))).groups());
            long[] groups = Tensors.longs(plan.groups());
            int rows = 2 * GRID.tokens() / 2; // of the two merged images
            for (int i = 0; i < expected.length; i++) {
                assertThat(groups[i]).isEqualTo(expected[i]);
                assertThat(groups[expected.length + i]).isEqualTo(expected[i] + rows);
            }
            assertThatThrownBy(() -> match(together, Tensors.slice(images, 0, 0, 3), run.step(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("A batch of 3 does not hold each image 2 times");
        }
    }

    @Test
    void withoutARunEachBlockMatchesForItself() {
        List<TokenMerger> blocks = mergers(HALF.matchPer(MatchPer.LEVEL).matchEvery(5));
        try (var scope = TensorScope.open()) {
            TokenMerge first = match(blocks.get(0), tokens(1), MergeContext.NONE);
            assertThat(match(blocks.get(1), tokens(1), MergeContext.NONE)).isNotSameAs(first);
            assertThat(MergeRun.NONE.size()).isZero();
        }
    }

    @Test
    void keptMatchingsAreFreedWhenTheyAreOutOfDateAndWithTheRun() {
        Engine.start();
        List<TokenMerger> blocks =
                mergers(HALF.matchPer(MatchPer.LEVEL).matchEvery(2).sizeWeighted(true));
        long before = TensorScope.liveObjects();
        try (var run = MergeRun.of(1)) {
            long after = 0;
            for (int step = 0; step < 20; step++) {
                try (var scope = TensorScope.open()) {
                    MergeContext context = run.step(step);
                    blocks.forEach(block -> match(block, tokens(1), context));
                }
                after = step == 1 ? TensorScope.liveObjects() : after;
            }
            assertThat(run.size()).isEqualTo(1);
            assertThat(TensorScope.liveObjects()).isEqualTo(after).isGreaterThan(before);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void aClosedRunIsRefused() {
        TokenMerger block = mergers(HALF.matchEvery(2)).get(0);
        try (var scope = TensorScope.open()) {
            MergeRun run = MergeRun.of(1);
            run.close();
            run.close();
            assertThatThrownBy(() -> match(block, tokens(1), run.step(0)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("open another MergeRun");
            assertThatThrownBy(() -> MergeRun.of(1, 0)).hasMessageContaining("copies is 0");
        }
    }
}
