package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class UNetMemoryTest {
    private static final Placement BF16 = new Placement(ComputeDevice.CPU, DType.BF16);

    private static final UNetConfig SD15 = new UNetConfig(
            4,
            4,
            new TokenGrid(64, 64),
            List.of(320, 640, 1280, 1280),
            List.of(true, true, true, false),
            List.of(false, true, true, true),
            UNetConfig.Middle.ATTENDING,
            List.of(2, 2, 2, 2),
            List.of(1, 1, 1, 1),
            List.of(8, 8, 8, 8),
            768,
            32,
            1e-5,
            false,
            true,
            0,
            Optional.empty(),
            0);

    private static double megabytes(int side, long batch, Placement placement, AttentionKernel kernel) {
        return UNetMemory.ofForward(SD15, batch, new TokenGrid(side, side), placement, kernel) / 1e6;
    }

    /** What the resident set grew by in a forward pass on the machine of docs/measurements.md. */
    @Test
    void isNearWhatWasMeasuredAtFullSize() {
        assertThat(megabytes(64, 2, BF16, AttentionKernel.EFFICIENT)).isBetween(380 * 0.85, 380 * 1.15);
        assertThat(megabytes(64, 1, BF16, AttentionKernel.EFFICIENT)).isBetween(249 * 0.85, 249 * 1.15);
        assertThat(megabytes(96, 1, BF16, AttentionKernel.EFFICIENT)).isBetween(460 * 0.85, 460 * 1.15);
        assertThat(megabytes(64, 1, BF16, AttentionKernel.NAIVE)).isBetween(763 * 0.85, 763 * 1.15);
        assertThat(megabytes(48, 1, Placement.CPU_FP32, AttentionKernel.EFFICIENT))
                .isBetween(287 * 0.85, 287 * 1.15);
    }

    @Test
    void naiveAttentionGrowsWithTheSquareOfTheTokens() {
        double small =
                megabytes(64, 1, BF16, AttentionKernel.NAIVE) - megabytes(64, 1, BF16, AttentionKernel.EFFICIENT);
        double large =
                megabytes(128, 1, BF16, AttentionKernel.NAIVE) - megabytes(128, 1, BF16, AttentionKernel.EFFICIENT);
        assertThat(large / small).isBetween(14.0, 18.0);
    }

    @Test
    void sizesThatNobodyHasTheMemoryForAreNotSmallAgain() {
        int side = Integer.MAX_VALUE / 8;
        TokenGrid huge = new TokenGrid(side, side);
        assertThat(UNetMemory.ofForward(SD15, Integer.MAX_VALUE, huge, BF16, AttentionKernel.NAIVE))
                .isEqualTo(Long.MAX_VALUE);
        assertThat(UNetMemory.ofForward(SD15, 2, new TokenGrid(1 << 16, 1 << 16), BF16, AttentionKernel.EFFICIENT))
                .isGreaterThan(1L << 42);
    }
}
