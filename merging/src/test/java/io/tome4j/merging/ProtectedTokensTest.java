package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.merging.example.OwnTransformer;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProtectedTokensTest {
    private static final int CHANNELS = 6;

    /** A disc in the middle. */
    private static ProtectedTokens disc(TokenGrid grid, double radius) {
        boolean[] regions = new boolean[grid.tokens()];
        for (int i = 0; i < regions.length; i++) {
            double y = i / grid.width() - grid.height() / 2.0;
            double x = i % grid.width() - grid.width() / 2.0;
            regions[i] = Math.hypot(x, y) < radius;
        }
        return ProtectedTokens.of(grid, regions);
    }

    private static MergePlan plan(Tensor x, TokenGrid grid, int sx, int sy, int r, ProtectedTokens kept, long seed) {
        return (MergePlan) BipartiteSoftMatching.random2d(
                x, grid, sx, sy, r, DestinationDraw.seeded(seed), Precision.FP32, 1, kept);
    }

    @ParameterizedTest
    @CsvSource({"8,8,2,2,0.1", "8,8,2,2,0.75", "9,7,2,2,0.5", "12,5,3,2,1", "16,16,4,4,0.9", "6,6,1,2,0.4"})
    void protectedTokensComeBackToTheBitAndOthersAreMergedAsOftenAsTheRatioSays(
            int height, int width, int sx, int sy, double ratio) {
        TokenGrid grid = new TokenGrid(height, width);
        ProtectedTokens kept = disc(grid, 2.2);
        boolean[] isKept = kept.at(grid);
        for (long seed = 0; seed < 5; seed++) {
            try (var scope = TensorScope.open()) {
                Tensor x = Tensors.randn(Tensors.generator(seed), 3, grid.tokens(), CHANNELS);
                int asked = (int) (grid.tokens() * ratio);
                MergePlan plan = plan(x, grid, sx, sy, asked, kept, seed);
                float[] before = Tensors.floats(x);
                float[] after = Tensors.floats(plan.unmerge(plan.merge(x)));
                int changed = 0;
                for (int i = 0; i < before.length; i++) {
                    boolean isProtected = isKept[i / CHANNELS % grid.tokens()];
                    if (isProtected) {
                        assertThat(after[i]).isEqualTo(before[i]);
                    }
                    changed += after[i] == before[i] ? 0 : 1;
                }
                assertThat(changed).isPositive();
                assertThat(plan.tokensAfter()).isEqualTo(grid.tokens() - Math.min(asked, kept.sources(grid, sx, sy)));
            }
        }
    }

    @Test
    void aTokenThatStandsForMoreThanOneIsNotProtectedAndNeitherIsOneThatIsMerged() {
        TokenGrid grid = new TokenGrid(8, 8);
        ProtectedTokens kept = disc(grid, 3);
        try (var scope = TensorScope.open()) {
            MergePlan plan = plan(Tensors.randn(Tensors.generator(1), 2, 64, CHANNELS), grid, 2, 2, 64, kept, 3);
            long[] groups = Tensors.longs(plan.groups());
            boolean[] isKept = kept.at(grid);
            for (int token = 0; token < groups.length; token++) {
                long group = groups[token];
                long members =
                        Arrays.stream(groups).filter(other -> other == group).count();
                if (isKept[token % 64]) {
                    assertThat(members).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void aCellWhoseDrawIsProtectedHasItsNextTokenAsDestination() {
        TokenGrid grid = new TokenGrid(2, 4);
        boolean[] level = {true, false, true, true, false, false, true, true};
        assertThat(ProtectedTokens.destination(level, grid, 2, 2, 0, 0)).isEqualTo(1);
        assertThat(ProtectedTokens.destination(level, grid, 2, 2, 0, 3)).isEqualTo(5);
        assertThat(ProtectedTokens.destination(level, grid, 2, 2, 1, 2)).isEqualTo(-1);
        assertThat(ProtectedTokens.of(grid, level).sources(grid, 2, 2)).isEqualTo(2);
    }

    @Test
    void whereNothingIsProtectedTheMatchingIsWhatItWas() {
        TokenGrid grid = new TokenGrid(9, 10);
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(4), 2, 90, CHANNELS);
            long[] plain = Tensors.longs(((MergePlan) BipartiteSoftMatching.random2d(
                            x, grid, 2, 2, 40, DestinationDraw.seeded(7), Precision.FP32))
                    .groups());
            assertThat(Tensors.longs(plan(x, grid, 2, 2, 40, ProtectedTokens.of(grid, new boolean[90]), 7)
                            .groups()))
                    .isEqualTo(plain);
        }
    }

    @Test
    void whereAllIsProtectedNothingIsMerged() {
        TokenGrid grid = new TokenGrid(4, 4);
        boolean[] all = new boolean[16];
        Arrays.fill(all, true);
        try (var scope = TensorScope.open()) {
            Tensor x = Tensors.randn(Tensors.generator(4), 1, 16, CHANNELS);
            assertThat(BipartiteSoftMatching.random2d(
                            x,
                            grid,
                            2,
                            2,
                            8,
                            DestinationDraw.TOP_LEFT,
                            Precision.FP32,
                            1,
                            ProtectedTokens.of(grid, all)))
                    .isSameAs(TokenMerge.NONE);
        }
    }

    @Test
    void aTokenOfALevelIsProtectedIfAnyOfItsPlacesIs() {
        TokenGrid input = new TokenGrid(5, 7);
        boolean[] regions = new boolean[35];
        regions[4 * 7 + 6] = true; // the last of all
        regions[1] = true;
        ProtectedTokens kept = ProtectedTokens.of(input, regions);
        assertThat(protectedAt(kept, input)).containsExactly(1, 34);
        assertThat(protectedAt(kept, new TokenGrid(3, 4))).containsExactly(0, 11);
        assertThat(protectedAt(kept, new TokenGrid(2, 2))).containsExactly(0, 3);
        assertThatThrownBy(() -> kept.at(new TokenGrid(2, 3)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no level");
    }

    private static int[] protectedAt(ProtectedTokens kept, TokenGrid grid) {
        boolean[] level = kept.at(grid);
        return IntStream.range(0, level.length).filter(i -> level[i]).toArray();
    }

    @ParameterizedTest
    @CsvSource({"TOME,LEVEL", "TOME,BLOCK", "QUERY,LEVEL"})
    void aRunProtectsInAllBlocksAndSharedMatchings(ToMeOptions.Method method, ToMeOptions.MatchPer per) {
        TokenGrid grid = new TokenGrid(8, 8);
        OwnTransformer model = new OwnTransformer(grid, 8);
        ProtectedTokens kept = disc(grid, 2.5);
        ToMeOptions options =
                ToMeOptions.ratio(0.6).method(method).matchPer(per).matchTogether(true);
        try (var scope = TensorScope.open();
                var run = MergeRun.of(model, options, 5, 2).protecting(kept)) {
            Tensor x = Tensors.randn(Tensors.generator(2), 2, 64, 8);
            for (OwnTransformer.Block block : model.mergeableBlocks()) {
                TokenMerge merge =
                        run.step(0).merge(block, x, x, grid).attention().queries();
                float[] before = Tensors.floats(x);
                float[] after = Tensors.floats(merge.unmerge(merge.merge(x)));
                assertThat(after).isNotEqualTo(before);
                for (int i = 0; i < before.length; i++) {
                    if (kept.at(grid)[i / 8 % 64]) {
                        assertThat(after[i]).isEqualTo(before[i]);
                    }
                }
            }
        }
        assertThat(ToMe.report(model, options, grid, kept).blocks().get(0).tokensAfter())
                .isEqualTo(64 - Math.min((int) (64 * 0.6), kept.sources(grid, 2, 2)));
    }

    @Test
    void methodsThatCannotLeaveTokensOutSayWhichCan() {
        TokenGrid grid = new TokenGrid(8, 8);
        OwnTransformer model = new OwnTransformer(grid, 8);
        for (ToMeOptions options : new ToMeOptions[] {
            ToMeOptions.ratio(0.5).method(ToMeOptions.Method.TODO),
            ToMeOptions.ratio(0.5).mode(ToMeOptions.Mode.TOMESD)
        }) {
            try (var run = MergeRun.of(model, options, 0, 1)) {
                assertThatThrownBy(() -> run.protecting(disc(grid, 2)))
                        .isInstanceOf(OptionException.class)
                        .hasMessageContaining("method tome or query");
                assertThat(run.protecting(ProtectedTokens.NONE).options()).isEqualTo(options);
            }
        }
    }
}
