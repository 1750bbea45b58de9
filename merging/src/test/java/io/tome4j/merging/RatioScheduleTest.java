package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.merging.example.OwnTransformer;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class RatioScheduleTest {
    private static final TokenGrid GRID = new TokenGrid(10, 10);
    private static final ToMeOptions MORE = ToMeOptions.ratio(0.2).withRatio(0.2, 0.6);

    /** Tokens that are left in each step. */
    private static List<Long> left(ToMeOptions options, int steps) {
        OwnTransformer model = new OwnTransformer(GRID, 8);
        List<Long> left = new ArrayList<>();
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, options, 3, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, GRID.tokens(), 8);
            for (int step = 0; step < steps; step++) {
                BlockMerge merge =
                        run.step(step, steps, 1).merge(model.mergeableBlocks().get(0), x, x, GRID);
                left.add(merge.attention().keys().merge(x).size(1));
            }
        }
        return left;
    }

    @Test
    void theRatioChangesEvenlyFromTheFirstStepToTheLast() {
        assertThat(left(MORE, 5)).containsExactly(80L, 70L, 60L, 50L, 40L);
        assertThat(left(MORE.withRatio(0.6, 0.2), 5)).containsExactly(40L, 50L, 60L, 70L, 80L);
        assertThat(left(MORE.withRatio(0, 0.5), 3)).containsExactly(100L, 75L, 50L);
        assertThat(left(MORE, 1)).containsExactly(80L);
    }

    @Test
    void stepsThatShareAMatchingShareTheFirstOnesRatio() {
        assertThat(left(MORE.matchEvery(2), 5)).containsExactly(80L, 80L, 60L, 60L, 40L);
    }

    @Test
    void samplingAndQueriesFollowTheSchedule() {
        assertThat(left(MORE.withRatio(0.75, 0).method(ToMeOptions.Method.TODO), 2))
                .containsExactly(25L, 100L);
        OwnTransformer model = new OwnTransformer(GRID, 8);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, MORE.method(ToMeOptions.Method.QUERY), 3, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, GRID.tokens(), 8);
            assertThat(run.step(2, 3, 1)
                            .merge(model.mergeableBlocks().get(0), x, x, GRID)
                            .attention()
                            .queries()
                            .merge(x)
                            .size(1))
                    .isEqualTo(40);
        }
    }

    @Test
    void itReadsAsTwoRatiosWithDotsBetween() {
        ToMeOptions read = ToMeOptions.NONE.withText(ToMeOptions.RATIO, "0.2..0.6");
        assertThat(read).isEqualTo(MORE);
        assertThat(read.ratioText()).isEqualTo("0.2..0.6");
        assertThat(read.identity()).isEqualTo("ratio=0.2 ratio_end=0.6");
        assertThat(ToMeOptions.NONE.withText(ToMeOptions.RATIO, "0.5..0.5")).isEqualTo(ToMeOptions.ratio(0.5));
        assertThat(MORE.withText(ToMeOptions.RATIO, "0.5")).isEqualTo(ToMeOptions.ratio(0.5));
        assertThat(MORE.withText(ToMeOptions.RATIO_END, "0.9").ratioText()).isEqualTo("0.2..0.9");
        assertThat(MORE.withRatio(0.5)).isEqualTo(ToMeOptions.ratio(0.5));
        assertThat(MORE.withRatio(0, 0.1).merges()).isTrue();
        for (String wrong : List.of("0.2..", "..0.2", "0.2..1.5", "0.2..x", "-1..0.5", "0.1..-1")) {
            assertThatThrownBy(() -> MORE.withText(ToMeOptions.RATIO, wrong))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("ratio");
        }
    }

    @Test
    void aRunWhoseStepsAreNotKnownSaysSo() {
        OwnTransformer model = new OwnTransformer(GRID, 8);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, MORE, 3, 1)) {
            Tensor x = Tensors.randn(Tensors.generator(1), 1, GRID.tokens(), 8);
            assertThatThrownBy(() -> run.step(0).merge(model.mergeableBlocks().get(0), x, x, GRID))
                    .hasMessageContaining("how many steps");
        }
    }

    @Test
    void tomesdHasNoSchedule() {
        assertThatThrownBy(() -> MORE.mode(ToMeOptions.Mode.TOMESD))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("ratio_end");
    }

    @Test
    void theReportCountsWhereMostIsMerged() {
        PatchReport report = ToMe.report(new OwnTransformer(GRID, 8), MORE.withRatio(0.6, 0.2), GRID);
        assertThat(report.blocks().get(0).tokensAfter()).isEqualTo(40);
        assertThat(report.summary()).contains("ratio 0.6..0.2");
    }
}
