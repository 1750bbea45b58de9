package io.tome4j.evaluation.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import org.junit.jupiter.api.Test;

class UNetWorkTest {
    private static final double GB = 1e9;

    private static final Placement CPU_BF16 = new Placement(ComputeDevice.CPU, DType.BF16);

    private static UNetWork sd15(Placement placement) {
        try (BenchModel model = BenchModel.sd15(placement)) {
            return new UNetWork(model.config(), ToMeOptions.ratio(0), placement);
        }
    }

    @Test
    void operationsAreThoseOfSd15() {
        // 2 x 803 GFLOP at 512; four times the places and sixteen times the attention at 1024
        assertThat(sd15(CPU_BF16).flops(new Cell(512, 1, Variant.EFFICIENT, 0))).isCloseTo(1.61e12, within(0.05e12));
        assertThat(sd15(CPU_BF16).flops(new Cell(1024, 1, Variant.EFFICIENT, 0)))
                .isCloseTo(9.4e12, within(0.3e12));
        assertThat(sd15(CPU_BF16).flops(new Cell(1024, 1, Variant.TOME_EFFICIENT, 0.5)))
                .isLessThan(7.5e12);
    }

    @Test
    void reuseTakesTheMeanOfOneWholePassAndTwoOfTheLastStage() {
        double whole = sd15(CPU_BF16).flops(new Cell(512, 1, Variant.EFFICIENT, 0));
        double reusing = sd15(CPU_BF16).flops(new Cell(512, 1, Variant.EFFICIENT_REUSE, 0));
        assertThat(reusing).isBetween(whole / 3, 0.42 * whole);
    }

    @Test
    void naiveAttentionNeedsTwoScoreMatricesAndMergingAQuarterOfThem() {
        long matrix = 2L * 8 * 16384 * 16384 * 2; // both halves, heads, tokens squared, bf16
        UNetWork work = sd15(CPU_BF16);
        long efficient = work.bytes(new Cell(1024, 1, Variant.EFFICIENT, 0));
        assertThat(efficient).isLessThan((long) (1.5 * GB));
        assertThat(work.bytes(new Cell(1024, 1, Variant.VANILLA, 0)) - efficient)
                .isEqualTo(2 * matrix);
        assertThat(work.bytes(new Cell(1024, 1, Variant.TOME, 0.5)) - efficient).isEqualTo(2 * matrix / 4);
        assertThat(sd15(Placement.CPU_FP32).bytes(new Cell(1024, 1, Variant.VANILLA, 0)))
                .isGreaterThan((long) (34 * GB));
    }

    /** Computed from shapes: 2980 G multiply-adds a row at 1024 pixels, of which self-attention is 376 G. */
    @Test
    void theDeepLevelsOfSdxlCountForWhatTheyAre() {
        try (BenchModel model = BenchModel.ofArchitecture(BenchModel.SDXL, CPU_BF16)) {
            UNetWork work = new UNetWork(model.config(), ToMeOptions.ratio(0.5), CPU_BF16);
            double whole = work.flops(new Cell(1024, 1, Variant.EFFICIENT, 0));
            assertThat(whole).isCloseTo(2 * 2 * 2980e9, within(1.5e12));
            assertThat(work.flops(new Cell(1024, 1, Variant.TOME_EFFICIENT, 0.5)))
                    .as("merging counts where nobody chose a level")
                    .isLessThan(0.98 * whole);
        }
    }
}
