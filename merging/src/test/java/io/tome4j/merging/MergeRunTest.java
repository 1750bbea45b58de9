package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.merging.ToMeOptions.MatchPer;
import io.tome4j.merging.example.OwnTransformer;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class MergeRunTest {
    private static final TokenGrid GRID = new TokenGrid(8, 8);
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);

    private final OwnTransformer model = new OwnTransformer(GRID, 8);
    private final OwnTransformer.Block first = model.mergeableBlocks().get(0);
    private final OwnTransformer.Block second = model.mergeableBlocks().get(1);

    private MergeRun run(ToMeOptions options, long seed, int copies) {
        return MergeRun.of(model, options, seed, copies);
    }

    private static Tensor tokens(int seed) {
        return Tensors.randn(Tensors.generator(seed), 2, GRID.tokens(), 8);
    }

    private static TokenMerge match(MergeableBlock block, Tensor x, MergeContext context) {
        return context.merge(block, x, x, GRID).attention().queries();
    }

    private static long[] groups(TokenMerge merge) {
        return Tensors.longs(((MergePlan) merge).groups());
    }

    @Test
    void theBlocksOfALevelUseTheFirstOnesMatchingInAStepAndAnotherInTheNext() {
        try (var scope = TensorScope.open();
                var run = run(HALF.matchPer(MatchPer.LEVEL), 1, 1)) {
            TokenMerge shared = match(first, tokens(1), run.step(0));
            assertThat(match(second, tokens(2), run.step(0))).isSameAs(shared);
            long[] groups = groups(shared);
            TokenMerge next = match(first, tokens(2), run.step(1));
            assertThat(next).isNotSameAs(shared);
            assertThat(groups(next)).isNotEqualTo(groups);
        }
    }

    @Test
    void aMatchingIsKeptForSoManyStepsCountedFromTheFirst() {
        try (var scope = TensorScope.open();
                var run = run(HALF.matchEvery(3), 1, 1)) {
            TokenMerge kept = match(first, tokens(1), run.step(0));
            assertThat(match(first, tokens(2), run.step(1))).isSameAs(kept);
            assertThat(match(first, tokens(3), run.step(2))).isSameAs(kept);
            TokenMerge next = match(first, tokens(4), run.step(4)); // step 3 was skipped
            assertThat(next).isNotSameAs(kept);
            assertThat(match(first, tokens(5), run.step(5))).isSameAs(next);
            assertThat(match(first, tokens(6), run.step(6))).isNotSameAs(next);
        }
    }

    @Test
    void aStepMayHoldEachImageMoreOrLessOftenThanTheRun() {
        ToMeOptions together = HALF.matchTogether(true).matchEvery(2);
        try (var scope = TensorScope.open();
                var run = run(together, 1, 2)) {
            long[] copies =
                    groups(match(first, tokens(1), run.step(0))); // each image's groups have numbers of their own
            assertThat(Arrays.stream(copies).limit(GRID.tokens()).map(group -> group + GRID.tokens() / 2))
                    .as("both copies merge alike")
                    .containsExactly(
                            Arrays.stream(copies).skip(GRID.tokens()).boxed().toArray(Long[]::new));
            Tensor half = Tensors.slice(tokens(1), 0, 1, 2);
            TokenMerge alone = match(first, half, run.step(1, 1));
            try (var single = run(together, 1, 1)) {
                assertThat(groups(alone)).isEqualTo(groups(match(first, half, single.step(0))));
            }
        }
    }

    @Test
    void blocksKeepTheirOwnUnlessTheyShareByLevel() {
        try (var scope = TensorScope.open();
                var run = run(HALF.matchPer(MatchPer.BLOCK).matchEvery(2), 1, 1)) {
            TokenMerge ofFirst = match(first, tokens(1), run.step(0));
            TokenMerge ofSecond = match(second, tokens(1), run.step(0));
            assertThat(ofSecond).isNotSameAs(ofFirst);
            assertThat(match(first, tokens(2), run.step(1))).isSameAs(ofFirst);
            assertThat(match(second, tokens(2), run.step(1))).isSameAs(ofSecond);
        }
    }

    @Test
    void whatDoesNotFitIsMatchedAnew() {
        ToMeOptions options = HALF.matchPer(MatchPer.LEVEL).matchEvery(2);
        try (var scope = TensorScope.open();
                var run = run(options, 1, 1);
                var nextBatch = run(options, 1, 1)) {
            TokenMerge kept = match(first, tokens(1), run.step(0));
            Tensor one = Tensors.slice(tokens(1), 0, 0, 1);
            assertThat(match(first, one, run.step(1)).merge(one).size(0)).isEqualTo(1);
            Tensor larger = Tensors.randn(Tensors.generator(1), 2, 100, 8);
            TokenMerge ofLarger = run.step(1)
                    .merge(first, larger, larger, new TokenGrid(10, 10))
                    .attention()
                    .queries();
            assertThat(ofLarger.merge(larger).size(1)).isEqualTo(50);
            assertThat(match(first, tokens(1), nextBatch.step(0))).isNotSameAs(kept);
            assertThat(match(first, tokens(1), run.step(1))).isSameAs(kept);
            // the same block again in the same step: another forward pass
            assertThat(match(first, tokens(1), run.step(1))).isNotSameAs(kept);
        }
    }

    @Test
    void theSameRunGivesTheSameMatchingsWhateverRanBefore() {
        ToMeOptions options = HALF.matchPer(MatchPer.LEVEL).matchEvery(4).matchTogether(true);
        try (var scope = TensorScope.open()) {
            long[][] groups = new long[2][];
            for (int i = 0; i < 2; i++) {
                try (var run = run(options, 7, 2)) {
                    match(first, tokens(1), run.step(0));
                    groups[i] = groups(match(second, tokens(2), run.step(1)));
                }
                try (var other = run(options, 8, 2)) {
                    match(second, tokens(3), other.step(1));
                }
            }
            assertThat(groups[1]).isEqualTo(groups[0]);
        }
    }

    @Test
    void copiesOfAnImageAreMatchedOnceByTheirMean() {
        ToMeOptions apart = HALF.useRand(false);
        try (var scope = TensorScope.open();
                var together = run(apart.matchTogether(true), 1, 2);
                var alone = run(apart, 1, 1)) {
            Tensor images = Tensors.cat(0, tokens(1), tokens(2)); // [4, 64, 8]: two images, twice
            Tensor mean = tokens(1).add(tokens(2)).div(new org.bytedeco.pytorch.Scalar(2));
            long[] expected = groups(match(first, mean, alone.step(0)));
            long[] groups = groups(match(first, images, together.step(0)));
            int rows = 2 * GRID.tokens() / 2; // of the two merged images
            for (int i = 0; i < expected.length; i++) {
                assertThat(groups[i]).isEqualTo(expected[i]);
                assertThat(groups[expected.length + i]).isEqualTo(expected[i] + rows);
            }
            assertThatThrownBy(() -> match(first, Tensors.slice(images, 0, 0, 3), together.step(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("A batch of 3 does not hold each image 2 times");
        }
    }

    @Test
    void aPassWithoutARunMergesNothing() {
        ToMe.applyPatch(model, HALF);
        try (var scope = TensorScope.open()) {
            assertThat(match(first, tokens(1), MergeContext.NONE)).isSameAs(TokenMerge.NONE);
        }
    }

    @Test
    void keptMatchingsAreFreedWhenTheyAreOutOfDateAndWithTheRun() {
        Engine.start();
        ToMeOptions options = HALF.matchPer(MatchPer.LEVEL).matchEvery(2).sizeWeighted(true);
        long before = TensorScope.liveObjects();
        try (var run = run(options, 1, 1)) {
            long after = 0;
            for (int step = 0; step < 20; step++) {
                try (var scope = TensorScope.open()) {
                    MergeContext context = run.step(step);
                    model.mergeableBlocks().forEach(block -> match(block, tokens(1), context));
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
        try (var scope = TensorScope.open()) {
            MergeRun run = run(HALF.matchEvery(2), 1, 1);
            run.close();
            run.close();
            assertThatThrownBy(() -> match(first, tokens(1), run.step(0)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("open another MergeRun");
            assertThatThrownBy(() -> run(HALF, 1, 0)).hasMessageContaining("copies is 0");
        }
    }
}
