package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChunkedAttentionTest {
    private static final Placement BF16 = new Placement(ComputeDevice.CPU, DType.BF16);

    private static Tensor random(long seed, double magnitude, long... shape) {
        return BF16.place(Tensors.randn(Tensors.generator(seed), shape).mul(new Scalar(magnitude)));
    }

    private static Tensor chunked(Tensor q, Tensor k, Tensor v) {
        return ChunkedAttention.attend(q, k, v, Optional.empty());
    }

    /** {@code softmax(q k^T / sqrt(d)) v} in the given dtype. */
    private static Tensor formula(ScalarType dtype, Tensor q, Tensor k, Tensor v) {
        Tensor scaled = q.to(dtype).mul(new Scalar(1 / Math.sqrt((double) q.size(3))));
        Tensor scores = torch.matmul(scaled, k.to(dtype).transpose(-1, -2));
        return torch.matmul(torch.softmax(scores, -1), v.to(dtype));
    }

    /** The root of the mean squared difference from fp32, against that of the values. */
    private static double error(Tensor actual, Tensor q, Tensor k, Tensor v) {
        Tensor exact = formula(ScalarType.Float, q, k, v);
        return actual.to(ScalarType.Float).sub(exact).norm().item_float()
                / exact.norm().item_float();
    }

    @ParameterizedTest(name = "{0} queries, {1} keys, head size {2}")
    @CsvSource({
        "1, 1, 40",
        "150, 77, 40",
        "4101, 77, 80", // the text
        "1000, 1000, 64",
        "1030, 4100, 32", // more than one chunk, and not a multiple of it
        "257, 4100, 160",
        "40, 70000, 8" // not one whole chunk of the smallest number of rows
    })
    void isAsCloseToFp32AsBf16Allows(long rows, long columns, long size) {
        try (var scope = TensorScope.open()) {
            Tensor q = random(1, 1, 2, 3, rows, size);
            Tensor k = random(2, 1, 2, 3, columns, size);
            Tensor v = random(3, 1, 2, 3, columns, size);
            Tensor actual = chunked(q, k, v);
            assertThat(Tensors.shape(actual)).containsExactly(2, 3, rows, size);
            assertThat(error(actual, q, k, v)).isLessThan(9e-3);
        }
    }

    /** Scores from a few to some thousands: beyond 88 an exponential overflows, below -87 it vanishes. */
    @ParameterizedTest
    @CsvSource({"3", "6", "12", "30", "300"})
    void isNoFurtherFromFp32ThanSoftmaxWhateverTheMagnitude(double magnitude) {
        try (var scope = TensorScope.open()) {
            Tensor q = random(4, magnitude, 1, 4, 300, 40);
            Tensor k = random(5, magnitude, 1, 4, 500, 40);
            Tensor v = random(6, magnitude, 1, 4, 500, 40);
            double softmax = error(formula(ScalarType.BFloat16, q, k, v), q, k, v);
            assertThat(error(chunked(q, k, v), q, k, v)).isLessThan(1.2 * softmax + 2e-3);
        }
    }

    /** Every query points away from every key, so that all exponentials of a row would be 0. */
    @Test
    void rowsOfVeryNegativeScoresAreRightToo() {
        try (var scope = TensorScope.open()) {
            Tensor q = random(7, 0.1, 1, 2, 50, 40).add_(new Scalar(-20));
            Tensor k = random(8, 0.1, 1, 2, 60, 40).add_(new Scalar(20));
            Tensor v = random(9, 1, 1, 2, 60, 40);
            double softmax = error(formula(ScalarType.BFloat16, q, k, v), q, k, v);
            assertThat(error(chunked(q, k, v), q, k, v)).isLessThan(1.2 * softmax);
        }
    }

    @Test
    void aHeadOutOfRangeLeavesTheOthersAsTheyAre() {
        try (var scope = TensorScope.open()) {
            Tensor q = random(10, 1, 1, 3, 70, 40);
            Tensor k = random(11, 1, 1, 3, 90, 40);
            Tensor v = random(12, 1, 1, 3, 90, 40);
            float[] before = Tensors.floats(chunked(q, k, v).select(1, 2));
            q.select(1, 1).mul_(new Scalar(200));
            Tensor after = chunked(q, k, v);
            assertThat(Tensors.floats(after.select(1, 2))).isEqualTo(before);
            assertThat(after.isfinite().all().item().toBool()).isTrue();
        }
    }

    @Test
    void hugeValuesDoNotOverflow() {
        try (var scope = TensorScope.open()) {
            Tensor q = random(13, 2, 1, 1, 70, 40);
            Tensor k = random(14, 2, 1, 1, 90, 40);
            Tensor v = torch.full(new long[] {1, 1, 90, 40}, new Scalar(2e38), BF16.options());
            assertThat(chunked(q, k, v)
                            .sub(v.select(2, 0).unsqueeze(2))
                            .abs()
                            .max()
                            .item_float())
                    .isLessThan(2e36f);
        }
    }

    @Test
    void aMaskThatLeavesOneKeySelectsItsValue() {
        try (var scope = TensorScope.open()) {
            Tensor q = random(15, 1, 1, 2, 30, 40);
            Tensor v = random(16, 1, 1, 2, 30, 40);
            Tensor mask = torch.full(new long[] {30, 30}, new Scalar(Double.NEGATIVE_INFINITY), BF16.options());
            mask.fill_diagonal_(new Scalar(0));
            Tensor difference =
                    ChunkedAttention.attend(q, q, v, Optional.of(mask)).sub(v);
            assertThat(difference.div(v).abs().max().item_float()).isLessThan(1 / 128f);
        }
    }

    @Test
    void longSequencesGiveTheSameWithMoreThreads() {
        try (var scope = TensorScope.open()) {
            Tensor q = random(17, 1, 1, 3, 2000, 40);
            Tensor k = random(18, 1, 1, 3, 2000, 40);
            Tensor v = random(19, 1, 1, 3, 2000, 40);
            Tensor together = chunked(q, k, v);
            for (long head = 0; head < 3; head++) {
                Tensor alone = chunked(q.narrow(1, head, 1), k.narrow(1, head, 1), v.narrow(1, head, 1));
                assertThat(torch.equal(alone, together.narrow(1, head, 1))).isTrue();
            }
        }
    }
}
