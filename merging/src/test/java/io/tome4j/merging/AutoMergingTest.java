package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.merging.ToMeOptions.Method;
import io.tome4j.merging.example.OwnTransformer;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AutoMergingTest {
    private static final ToMeOptions AUTO = ToMeOptions.ratio(0.5).auto(true);

    private static boolean pays(ToMeOptions options, int side) {
        return MergingCost.of(options, new TokenGrid(side, side), 320, 5).pays();
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void itPaysForManyTokensAndNotForFew(Method method) {
        assertThat(pays(AUTO.method(method), 64)).isTrue();
        assertThat(pays(AUTO.method(method), 128)).isTrue();
        assertThat(pays(AUTO.method(method), 4)).isFalse();
    }

    @Test
    void aLowRatioDoesNotPayForItsMatching() {
        assertThat(pays(AUTO.withRatio(0.02).matchPer(ToMeOptions.MatchPer.BLOCK), 64))
                .isFalse();
        assertThat(pays(AUTO.withRatio(0.005), 64)).isFalse(); // even where five blocks share it
        assertThat(pays(AUTO.withRatio(0), 64)).isFalse();
        // shared by the blocks of a level and over steps the same matching does
        ToMeOptions alone = AUTO.withRatio(0.1).matchPer(ToMeOptions.MatchPer.BLOCK);
        assertThat(MergingCost.of(alone.matchPer(ToMeOptions.MatchPer.LEVEL).matchEvery(4), grid(), 320, 5)
                        .cost())
                .isLessThan(MergingCost.of(alone, grid(), 320, 5).cost() / 5);
    }

    private static TokenGrid grid() {
        return new TokenGrid(64, 64);
    }

    @Test
    void blocksWhereItDoesNotPayAreReportedWithTheReasonAndMergeNothing() {
        var model = new OwnTransformer(new TokenGrid(4, 4), 32);
        PatchReport report = ToMe.applyPatch(model, AUTO);
        assertThat(report.blocks()).isEmpty();
        assertThat(report.unmerged())
                .extracting(PatchReport.UnmergedBlock::name)
                .containsExactly("blocks.0", "blocks.1");
        assertThat(report.unmerged()).allMatch(block -> block.reason().contains("times what it saves"));
        assertThat(report.summary())
                .startsWith("0 of 2 blocks merge (ratio 0.5); ")
                .contains("off for 16 tokens at downsample 1: merging is predicted to cost");
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(1), 2, 16, 32);
            float[] patched = Tensors.floats(model.forward(x));
            ToMe.removePatch(model);
            assertThat(patched).isEqualTo(Tensors.floats(model.forward(x)));
        }
    }

    @Test
    void withoutAutoTheRatioMeansWhatItSays() {
        var model = new OwnTransformer(new TokenGrid(4, 4), 32);
        PatchReport report = ToMe.applyPatch(model, AUTO.auto(false));
        assertThat(report.unmerged()).isEmpty();
        assertThat(report.blocks()).allMatch(block -> block.tokensAfter() == 8);
    }

    @Test
    void theSizeItRunsAtDecidesNotTheNominalOne() {
        var model = new OwnTransformer(new TokenGrid(4, 4), 32);
        PatchReport larger = ToMe.report(model, AUTO, new TokenGrid(64, 64));
        assertThat(larger.unmerged()).isEmpty();
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, AUTO, 0, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, 4096, 32);
            var merge = run.step(0).merge(model.mergeableBlocks().get(0), x, x, new TokenGrid(64, 64));
            assertThat(merge.attention().queries().merge(x).size(1)).isEqualTo(2048);
        }
    }
}
