package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ToMeTest {
    private static final class Block implements MergeableBlock {
        final int downsample;
        TokenMerger merger = TokenMerger.NONE;

        Block(int downsample) {
            this.downsample = downsample;
        }

        @Override
        public String name() {
            return "block at " + downsample;
        }

        @Override
        public int downsample() {
            return downsample;
        }

        @Override
        public long channels() {
            return 320;
        }

        @Override
        public TokenMerger merger() {
            return merger;
        }

        @Override
        public void merger(TokenMerger newMerger) {
            merger = newMerger;
        }
    }

    private record Model(List<Block> mergeableBlocks) implements MergeableModel {
        static Model at(int... downsamples) {
            return new Model(IntStream.of(downsamples).mapToObj(Block::new).toList());
        }

        @Override
        public TokenGrid nominalGrid() {
            return new TokenGrid(64, 64);
        }

        List<Boolean> patched() {
            return mergeableBlocks.stream()
                    .map(block -> block.merger != TokenMerger.NONE)
                    .toList();
        }
    }

    @Test
    void patchesTheBlocksUpToMaxDownsampleAndReportsThem() {
        Model model = Model.at(1, 2, 4, 8, 4, 2, 1);
        PatchReport report = ToMe.applyPatch(model, ToMeOptions.ratio(0.5).maxDownsample(2));
        assertThat(model.patched()).containsExactly(true, true, false, false, false, true, true);
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
        assertThat(report.summary()).isEqualTo("4 of 7 blocks merge up to 4096 tokens into 2048 (ratio 0.5)");
    }

    @Test
    void patchingAgainReplacesAndRemovingTakesAllAway() {
        Model model = Model.at(1, 2);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5).maxDownsample(2));
        ToMe.applyPatch(model, ToMeOptions.ratio(0.25));
        assertThat(model.patched()).containsExactly(true, false);
        assertThat(ToMe.patchedWith(model)).contains(ToMeOptions.ratio(0.25));
        ToMe.removePatch(model);
        assertThat(model.patched()).containsExactly(false, false);
        assertThat(ToMe.patchedWith(model)).isEmpty();
    }

    @Test
    void aRefusedPatchLeavesTheModelAsItWas() {
        Model model = Model.at(1, 2);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5));
        assertThatThrownBy(() -> ToMe.applyPatch(model, ToMeOptions.ratio(0.5).mergeAttn(false)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mergeAttn, mergeCrossattn and mergeMlp are all off");
        assertThat(model.patched()).containsExactly(true, false);
    }

    @Test
    void whereNothingWouldBePatchedTheErrorSaysWhichOptionWould() {
        assertThatThrownBy(() -> ToMe.applyPatch(Model.at(2, 4, 4), ToMeOptions.ratio(0.5)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at downsample 2, 4")
                .hasMessageContaining("use maxDownsample 2 or more");
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
                .hasMessageContaining("maxDownsample is " + value);
    }

    @Test
    void defaultsAreThoseOfTomesdButForOneMatchingALevel() {
        assertThat(ToMeOptions.ratio(0.5))
                .isEqualTo(new ToMeOptions(
                        0.5,
                        1,
                        2,
                        2,
                        true,
                        true,
                        false,
                        false,
                        ToMeOptions.Mode.SEEDED,
                        ToMeOptions.Method.TOME,
                        false,
                        new ToMeOptions.Matching(ToMeOptions.MatchPer.LEVEL, 1, false, Precision.FP32),
                        false));
    }

    private static long[] groups(TokenMerger merger, Tensor x, MergeContext context) {
        return Tensors.longs(((MergePlan) merger.match(x, x, new TokenGrid(8, 8), context)
                        .attention()
                        .queries())
                .groups());
    }

    @Test
    void drawsAreKeyedBySeedStepAndBlock() {
        Model model = Model.at(1, 1);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5));
        TokenMerger first = model.mergeableBlocks().get(0).merger;
        TokenMerger second = model.mergeableBlocks().get(1).merger;
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 3, 64, 8);
            long[] reference = groups(first, x, new MergeContext(42, 3));
            assertThat(groups(first, x, new MergeContext(42, 3))).isEqualTo(reference);
            assertThat(groups(first, x, new MergeContext(42, 4))).isNotEqualTo(reference);
            assertThat(groups(first, x, new MergeContext(43, 3))).isNotEqualTo(reference);
            assertThat(groups(second, x, new MergeContext(42, 3))).isNotEqualTo(reference);
        }
    }

    @Test
    void inTomesdModeAnOddBatchHasItsDestinationsTopLeft() {
        Model model = Model.at(1);
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 3, 64, 8);
            ToMe.applyPatch(model, ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD));
            long[] odd = groups(model.mergeableBlocks().get(0).merger, x, MergeContext.NONE);
            ToMe.applyPatch(model, ToMeOptions.ratio(0.5).useRand(false));
            assertThat(odd).isEqualTo(groups(model.mergeableBlocks().get(0).merger, x, MergeContext.NONE));
        }
    }

    @Test
    void onlyTheChosenPartsAreMerged() {
        Model model = Model.at(1);
        ToMe.applyPatch(model, ToMeOptions.ratio(0.5).mergeAttn(false).mergeMlp(true));
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 64, 8);
            BlockMerge merge =
                    model.mergeableBlocks().get(0).merger.match(x, x, new TokenGrid(8, 8), MergeContext.NONE);
            assertThat(merge.attention()).isSameAs(AttentionMerge.NONE);
            assertThat(merge.crossAttention()).isSameAs(TokenMerge.NONE);
            assertThat(merge.mlp().merge(x).size(1)).isEqualTo(32);
        }
    }
}
