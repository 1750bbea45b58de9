package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class AttentionKernelTest {
    /** Attention as the formula says it, in double precision, on fp32 inputs of [B, N, C] and [B, M, C]. */
    private static float[] expected(Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
        int batch = (int) q.size(0);
        int rows = (int) q.size(1);
        int columns = (int) k.size(1);
        int channels = (int) q.size(2);
        int size = channels / heads;
        float[] queries = Tensors.floats(q);
        float[] keys = Tensors.floats(k);
        float[] values = Tensors.floats(v);
        float[] out = new float[batch * rows * channels];
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < rows; i++) {
                    double[] weight = new double[columns];
                    double total = 0;
                    for (int j = 0; j < columns; j++) {
                        double score = 0;
                        for (int c = 0; c < size; c++) {
                            score += queries[(b * rows + i) * channels + h * size + c]
                                    * (double) keys[(b * columns + j) * channels + h * size + c];
                        }
                        weight[j] = causal && j > i ? 0 : Math.exp(score / Math.sqrt(size));
                        total += weight[j];
                    }
                    for (int c = 0; c < size; c++) {
                        double sum = 0;
                        for (int j = 0; j < columns; j++) {
                            sum += weight[j] / total * values[(b * columns + j) * channels + h * size + c];
                        }
                        out[(b * rows + i) * channels + h * size + c] = (float) sum;
                    }
                }
            }
        }
        return out;
    }

    @ParameterizedTest
    @CsvSource({
        "NAIVE, FP32, 1e-5, false", "EFFICIENT, FP32, 1e-5, false", "NAIVE, BF16, 2e-2, false",
        "EFFICIENT, BF16, 2e-2, false", "NAIVE, FP32, 1e-5, true", "EFFICIENT, FP32, 1e-5, true",
        "EFFICIENT, BF16, 2e-2, true", "NAIVE, BF16, 2e-2, true", "PORTABLE, FP32, 1e-5, false",
        "PORTABLE, BF16, 2e-2, false", "PORTABLE, FP32, 1e-5, true", "PORTABLE, BF16, 2e-2, true"
    })
    void agreesWithTheFormula(AttentionKernel kernel, DType dtype, float tolerance, boolean causal) {
        try (var scope = TensorScope.open()) {
            var placement = new Placement(ComputeDevice.CPU, dtype);
            var random = Tensors.generator(7);
            int rows = 150; // more than one chunk, and not a multiple of it
            int columns = causal ? rows : 77;
            // rounded to the dtype first, so that only the computation is compared
            Tensor q = placement.place(Tensors.randn(random, 2, rows, 24));
            Tensor k = placement.place(Tensors.randn(random, 2, columns, 24));
            Tensor v = placement.place(Tensors.randn(random, 2, columns, 24));
            Tensor mask = torch.full(
                            new long[] {rows, columns}, new Scalar(Double.NEGATIVE_INFINITY), placement.options())
                    .triu_(1);
            Tensor actual = causal ? kernel.attend(q, k, v, 3, mask) : kernel.attend(q, k, v, 3);
            assertThat(Tensors.dtype(actual)).isEqualTo(placement.scalarType());
            assertThat(Tensors.shape(actual)).containsExactly(2, rows, 24);
            assertThat(Tensors.floats(actual))
                    .usingComparatorWithPrecision(tolerance)
                    .containsExactly(expected(q, k, v, 3, causal));
        }
    }

    @ParameterizedTest
    @CsvSource({"FP32", "BF16"})
    void efficientTakesQueriesThatAreASliceOfAFusedProjection(DType dtype) {
        try (var scope = TensorScope.open()) {
            var placement = new Placement(ComputeDevice.CPU, dtype);
            Tensor qkv = placement.place(Tensors.randn(Tensors.generator(3), 1, 100, 48));
            Tensor q = Tensors.slice(qkv, 2, 0, 16);
            Tensor k = Tensors.slice(qkv, 2, 16, 32);
            Tensor v = Tensors.slice(qkv, 2, 32, 48);
            assertThat(Tensors.floats(AttentionKernel.EFFICIENT.attend(q, k, v, 2)))
                    .usingComparatorWithPrecision(2e-2f)
                    .containsExactly(expected(q, k, v, 2, false));
        }
    }

    @ParameterizedTest
    @EnumSource(AttentionKernel.class)
    void aBiasCountsAKeyMoreOftenInEveryImageOfItsOwn(AttentionKernel kernel) {
        try (var scope = TensorScope.open()) {
            var placement = new Placement(ComputeDevice.CPU, DType.BF16);
            Tensor q = placement.place(Tensors.randn(Tensors.generator(4), 2, 70, 48));
            Tensor k = placement.place(Tensors.randn(Tensors.generator(5), 2, 30, 48));
            Tensor v = placement.place(Tensors.randn(Tensors.generator(6), 2, 30, 48));
            Tensor sizes = torch.ones(2, 30);
            sizes.select(0, 0).select(0, 7).fill_(new Scalar(3));
            sizes.select(0, 1).select(0, 2).fill_(new Scalar(3));
            Tensor actual = kernel.attendBiased(q, k, v, 2, sizes.log());
            for (long image = 0; image < 2; image++) {
                long key = image == 0 ? 7 : 2;
                float[] expected = expected(
                        q.narrow(0, image, 1),
                        withTwoMore(k.narrow(0, image, 1), key),
                        withTwoMore(v.narrow(0, image, 1), key),
                        2,
                        false);
                assertThat(Tensors.floats(actual.narrow(0, image, 1)))
                        .usingComparatorWithPrecision(2e-2f)
                        .containsExactly(expected);
            }
        }
    }

    private static Tensor withTwoMore(Tensor x, long token) {
        Tensor one = x.narrow(1, token, 1);
        return Tensors.cat(1, x, one, one);
    }
}
