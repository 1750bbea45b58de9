package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.merging.ToMeOptions.MatchPer;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ToMeTest {
    private record Block(int number, int downsample) implements MergeableBlock {
        @Override
        public String name() {
            return "block at " + downsample;
        }

        @Override
        public long channels() {
            return 320;
        }
    }

    private record Model(List<Block> mergeableBlocks, ToMePatch patch) implements MergeableModel {
        static Model at(int... downsamples) {
            return new Model(
                    IntStream.range(0, downsamples.length)
                            .mapToObj(i -> new Block(i, downsamples[i]))
                            .toList(),
                    new ToMePatch());
        }

        @Override
        public TokenGrid nominalGrid() {
            return new TokenGrid(64, 64);
        }

        Block block(int number) {
            return mergeableBlocks.get(number);
        }
    }

    private static final TokenGrid GRID = new TokenGrid(8, 8);

    /** Which blocks merge in a run that is not told how. */
    private static List<Boolean> merged(Model model) {
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, 1, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 64, 8);
            return model.mergeableBlocks().stream()
                    .map(block -> !run.step(0).merge(block, x, x, GRID).equals(BlockMerge.NONE))
                    .toList();
        }
    }

    @Test
    void patchesTheBlocksUpToMaxDownsampleAndReportsThem() {
        Model model = Model.at(1, 2, 4, 8, 4, 2, 1);
        PatchReport report = ToMe.applyPatch(model, ToMeOptions.ratio(0.5).maxDownsample(2));
        assertThat(merged(model)).containsExactly(true, true, false, false, false, true, true);
        assertThat(report.blocks())
                .extracting(
                        PatchReport.PatchedBlock::downsample,
                        PatchReport.PatchedBlock::tokensBefore,
                        PatchReport.PatchedBlock::tokensAfter)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(1, 4096, 2048),
                        org.assertj.core.groups.Tuple.tuple(2, 1024, 512),
                        org.assertj.core.groups.Tuple.tuple(2, 1024, 512),
                        org.assertj.core.groups.Tuple.tuple(1, 4096, 2048));
        assertThat(report.summary())
                .isEqualTo("4 of 7 blocks merge up to 4096 tokens into 2048 (ratio 0.5, max_downsample 2)");
    }

    @Test
    void patchingAgainReplacesAndRemovingTakesAllAway() {
        Model model = Model.at(1, 2);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5).maxDownsample(2));
        ToMe.applyPatch(model, ToMeOptions.ratio(0.25));
        assertThat(merged(model)).containsExactly(true, false);
        assertThat(ToMe.patchedWith(model)).isEqualTo(ToMeOptions.ratio(0.25));
        ToMe.removePatch(model);
        assertThat(merged(model)).containsExactly(false, false);
        assertThat(ToMe.patchedWith(model)).isEqualTo(ToMeOptions.NONE);
    }

    @Test
    void aRefusedPatchLeavesTheModelAsItWas() {
        Model model = Model.at(1, 2);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5));
        assertThatThrownBy(() -> ToMe.applyPatch(model, ToMeOptions.ratio(0.5).mergeAttn(false)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("merge_attn, merge_crossattn and merge_mlp are all off");
        assertThat(merged(model)).containsExactly(true, false);
    }

    @Test
    void whereNothingWouldBePatchedTheErrorSaysWhichOptionWould() {
        assertThatThrownBy(() -> ToMe.applyPatch(
                        Model.at(2, 4, 4), ToMeOptions.ratio(0.5).maxDownsample(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at downsample 2, 4")
                .hasMessageContaining("use max_downsample 2 or more");
    }

    @Test
    void aModelWithoutBlocksAtFullSizeMergesAtItsLargestUnlessSomebodyChose() {
        PatchReport report = ToMe.applyPatch(Model.at(2, 4, 4), ToMeOptions.ratio(0.5));
        assertThat(report.options().maxDownsample()).isEqualTo(2);
        assertThat(report.blocks()).hasSize(1);
        assertThat(report.summary()).contains("1 of 3 blocks").contains("max_downsample 2");
        PatchReport chosen =
                ToMe.applyPatch(Model.at(2, 4, 4), ToMeOptions.ratio(0.5).maxDownsample(4));
        assertThat(chosen.blocks()).hasSize(3);
        assertThat(chosen.notes()).isEmpty();
        ToMeOptions asTomesd = ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD);
        assertThat(MergeRun.of(Model.at(4), asTomesd, 1, 1).options().maxDownsample())
                .isEqualTo(4);
        assertThat(MergeRun.of(Model.at(1, 2), asTomesd, 1, 1).options()).isEqualTo(asTomesd);
    }

    @Test
    void aRatioAboveWhatTheCellsAllowIsClampedAndReported() {
        PatchReport report = ToMe.applyPatch(Model.at(1), ToMeOptions.ratio(0.9));
        assertThat(report.blocks().get(0).tokensAfter()).isEqualTo(1024);
        assertThat(report.notes()).singleElement().asString().contains("ratio 0.9 is clamped to 0.75");
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.5, Double.NaN})
    void aRatioOutsideZeroToOneIsAnError(double ratio) {
        assertThatThrownBy(() -> ToMeOptions.ratio(ratio))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ratio is " + ratio)
                .hasMessageContaining("from 0 (none) to 1");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 16, -1})
    void maxDownsampleIsOneOfFour(int value) {
        assertThatThrownBy(() -> ToMeOptions.ratio(0.5).maxDownsample(value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("max_downsample is " + value);
    }

    @Test
    void defaultsAreThoseOfTomesdButForOneMatchingASide() {
        ToMeOptions options = ToMeOptions.ratio(0.5);
        assertThat(ToMeOptions.OPTIONS.stream().map(option -> option.name() + "=" + options.text(option)))
                .containsExactly(
                        "ratio=0.5",
                        "ratio_end=-1",
                        "max_downsample=1",
                        "sx=2",
                        "sy=2",
                        "use_rand=true",
                        "merge_attn=true",
                        "merge_crossattn=false",
                        "merge_mlp=false",
                        "mode=seeded",
                        "method=tome",
                        "size_weighted=false",
                        "match_per=side",
                        "match_every=1",
                        "match_together=false",
                        "match_precision=fp32",
                        "auto=false");
    }

    @Test
    void blocksOfALevelShareAMatchingOnTheirSideOfTheModelAlone() {
        Model model = Model.at(1, 1, 2, 2, 1, 1);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, ToMeOptions.ratio(0.5).matchPer(MatchPer.SIDE), 1, 1)) {
            List<TokenMerge> used = Stream.of(0, 1, 4, 5)
                    .map(block -> {
                        Tensor x = Tensors.randn(Tensors.generator(block), 1, GRID.tokens(), 8);
                        return run.step(0)
                                .merge(model.block(block), x, x, GRID)
                                .attention()
                                .queries();
                    })
                    .toList();
            assertThat(used.get(1)).isSameAs(used.get(0));
            assertThat(used.get(2)).isNotSameAs(used.get(0));
            assertThat(used.get(3)).isSameAs(used.get(2));
        }
    }

    private static TokenMerge queries(Model model, ToMeOptions options, int block, Tensor x, long seed, int step) {
        try (var run = MergeRun.of(model, options, seed, 1)) {
            return run.step(step)
                    .merge(model.block(block), x, x, GRID)
                    .attention()
                    .queries();
        }
    }

    private static long[] groups(Model model, ToMeOptions options, int block, Tensor x, long seed, int step) {
        return Tensors.longs(((MergePlan) queries(model, options, block, x, seed, step)).groups());
    }

    @Test
    void drawsAreKeyedBySeedStepAndBlock() {
        Model model = Model.at(1, 1);
        ToMeOptions half = ToMeOptions.ratio(0.5).matchPer(ToMeOptions.MatchPer.BLOCK);
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 3, 64, 8);
            long[] reference = groups(model, half, 0, x, 42, 3);
            assertThat(groups(model, half, 0, x, 42, 3)).isEqualTo(reference);
            assertThat(groups(model, half, 0, x, 42, 4)).isNotEqualTo(reference);
            assertThat(groups(model, half, 0, x, 43, 3)).isNotEqualTo(reference);
            assertThat(groups(model, half, 1, x, 42, 3)).isNotEqualTo(reference);
        }
    }

    @Test
    void inTomesdModeAnOddBatchHasItsDestinationsTopLeft() {
        Model model = Model.at(1);
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 3, 64, 8);
            ToMeOptions half = ToMeOptions.ratio(0.5).matchPer(ToMeOptions.MatchPer.BLOCK);
            assertThat(groups(model, half.mode(ToMeOptions.Mode.TOMESD), 0, x, 1, 0))
                    .isEqualTo(groups(model, half.useRand(false), 0, x, 1, 0));
        }
    }

    @Test
    void tomesdsDrawsOfARequestDependOnItsSeedAloneAndLeaveTorchsGeneratorAsItWas() {
        Model model = Model.at(1, 1);
        ToMeOptions tomesd = ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD);
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 2, 64, 8);
            torch.manual_seed(7);
            ToMe.applyPatch(model, tomesd);
            long[] afterManualSeed;
            try (var run = MergeRun.of(model, 7, 1)) {
                afterManualSeed = Tensors.longs(((MergePlan) run.step(0)
                                .merge(model.block(0), x, x, GRID)
                                .attention()
                                .queries())
                        .groups());
            }
            torch.manual_seed(99);
            float[] next = Tensors.floats(torch.randn(new long[] {4}));
            torch.manual_seed(99);
            assertThat(groups(model, tomesd, 0, x, 7, 0)).isEqualTo(afterManualSeed);
            assertThat(groups(model, tomesd, 0, x, 7, 0)).isEqualTo(afterManualSeed);
            assertThat(groups(model, tomesd, 0, x, 8, 0)).isNotEqualTo(afterManualSeed);
            assertThat(Tensors.floats(torch.randn(new long[] {4}))).isEqualTo(next);
        }
    }

    @Test
    void onlyTheChosenPartsAreMerged() {
        Model model = Model.at(1);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(
                        model, ToMeOptions.ratio(0.5).mergeAttn(false).mergeMlp(true), 0, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 64, 8);
            BlockMerge merge = run.step(0).merge(model.block(0), x, x, GRID);
            assertThat(merge.attention()).isSameAs(AttentionMerge.NONE);
            assertThat(merge.crossAttention()).isSameAs(TokenMerge.NONE);
            assertThat(merge.mlp().merge(x).size(1)).isEqualTo(32);
        }
    }

    @Test
    void aRunGoesOnAsItBeganWhateverTheModelIsPatchedWithMeanwhile() {
        Model model = Model.at(1);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5));
        try (var scope = TensorScope.open();
                var patched = MergeRun.of(model, 1, 1);
                var told = MergeRun.of(model, ToMeOptions.NONE, 1, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 64, 8);
            ToMe.removePatch(model);
            assertThat(patched.options()).isEqualTo(ToMeOptions.ratio(0.5));
            assertThat(patched.step(0)
                            .merge(model.block(0), x, x, GRID)
                            .attention()
                            .queries()
                            .merge(x)
                            .size(1))
                    .isEqualTo(32);
            ToMe.applyPatch(model, ToMeOptions.ratio(0.25));
            assertThat(told.step(0).merge(model.block(0), x, x, GRID)).isSameAs(BlockMerge.NONE);
        }
    }

    @Test
    void aRunForAnotherModelIsRefused() {
        Model model = Model.at(1);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, ToMeOptions.ratio(0.5), 1, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 64, 8);
            Block stranger = new Block(0, 1);
            assertThatThrownBy(() -> run.step(0).merge(stranger, x, x, GRID))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another model");
        }
    }

    @Test
    void aListenerHearsWhatEachBlockDoes() {
        Model model = Model.at(1, 2);
        List<String> heard = new ArrayList<>();
        try (var scope = TensorScope.open();
                var run = MergeRun.of(
                        model,
                        Optional.of(ToMeOptions.ratio(0.5)),
                        1,
                        1,
                        (block, hidden, grid, merge, context) ->
                                heard.add(block.name() + (merge.equals(BlockMerge.NONE) ? " whole" : " merged")))) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 64, 8);
            model.mergeableBlocks().forEach(block -> run.step(0).merge(block, x, x, GRID));
        }
        assertThat(heard).containsExactly("block at 1 merged", "block at 2 whole");
    }

    @Test
    void withoutMergingTheReportIsEmpty() {
        PatchReport report = ToMe.report(Model.at(1, 2), ToMeOptions.NONE, GRID);
        assertThat(report.merges()).isFalse();
        assertThat(report.blocks()).isEmpty();
        assertThat(report.blocksInModel()).isEqualTo(2);
        assertThat(report.summary()).isEqualTo("off");
    }
}
