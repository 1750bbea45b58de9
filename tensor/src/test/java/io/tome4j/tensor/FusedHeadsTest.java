package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@EnabledIf("runsHere")
class FusedHeadsTest {
    private static final Placement BF16 = new Placement(ComputeDevice.CPU, DType.BF16);

    static boolean runsHere() {
        return Kernels.here().attention().isPresent();
    }

    private static Tensor random(long seed, double magnitude, long... shape) {
        return BF16.place(Tensors.randn(Tensors.generator(seed), shape).mul(new Scalar(magnitude)));
    }

    private static Tensor fused(Tensor q, Tensor k, Tensor v) {
        assertThat(FusedHeads.take(q, k, v, Optional.empty())).isTrue();
        return FusedHeads.attend(q, k, v, Optional.empty(), Optional.empty());
    }

    private static Tensor attend(Tensor q, Tensor k, Tensor v, Workers workers) {
        return FusedHeads.attend(q, k, v, Optional.empty(), Optional.empty(), workers);
    }

    /** {@code softmax(q k^T / sqrt(d) + added) v} in fp32. */
    private static Tensor exact(Tensor q, Tensor k, Tensor v, Tensor added) {
        Tensor scaled = q.to(ScalarType.Float).mul(new Scalar(1 / Math.sqrt((double) q.size(3))));
        Tensor scores = torch.matmul(scaled, k.to(ScalarType.Float).transpose(-1, -2));
        scores.add_(added.to(ScalarType.Float));
        return torch.matmul(torch.softmax(scores, -1), v.to(ScalarType.Float));
    }

    private static Tensor exact(Tensor q, Tensor k, Tensor v) {
        return exact(q, k, v, torch.zeros(1));
    }

    /** The root of the mean squared difference, against that of the values. */
    private static double error(Tensor actual, Tensor exact) {
        return actual.to(ScalarType.Float).sub(exact).norm().item_float()
                / exact.norm().item_float();
    }

    @ParameterizedTest(name = "{0} queries, {1} keys, head size {2}, magnitude {3}")
    @CsvSource({
        "1, 1, 40, 1", "150, 77, 40, 1", "1001, 77, 80, 1", "1000, 1000, 64, 1", "257, 4100, 160, 1",
        "63, 501, 8, 1", "65, 129, 256, 1", "300, 500, 40, 3", "300, 500, 40, 6", "300, 500, 40, 12",
        "300, 500, 40, 30", "300, 500, 40, 300" // scores of some thousands and more
    })
    void isNoFurtherFromFp32ThanTheNaiveKernel(long rows, long count, long size, double magnitude) {
        try (var scope = TensorScope.open()) {
            Tensor q = random(1, magnitude, 2, 3, rows, size);
            Tensor k = random(2, magnitude, 2, 3, count, size);
            Tensor v = random(3, 1, 2, 3, count, size);
            Tensor exact = exact(q, k, v);
            double naive = error(AttentionKernel.NAIVE.attendHeads(q, k, v, Optional.empty()), exact);
            Tensor actual = fused(q, k, v);
            assertThat(Tensors.shape(actual)).containsExactly(2, 3, rows, size);
            assertThat(error(actual, exact)).isLessThanOrEqualTo(naive);
        }
    }

    @Test
    void aMaskAndABiasAreNoFurtherFromFp32ThanTheNaiveKernel() {
        try (var scope = TensorScope.open()) {
            Tensor q = random(4, 1, 2, 3, 77, 64);
            Tensor k = random(5, 1, 2, 3, 77, 64);
            Tensor v = random(6, 1, 2, 3, 77, 64);
            Tensor causal = torch.full(new long[] {77, 77}, new Scalar(Double.NEGATIVE_INFINITY), BF16.options())
                    .triu_(1);
            for (Tensor mask :
                    List.of(causal, random(7, 2, 77, 77), random(8, 2, 77, 77).transpose(0, 1))) {
                Tensor exact = exact(q, k, v, mask);
                double naive = error(AttentionKernel.NAIVE.attendHeads(q, k, v, Optional.of(mask)), exact);
                assertThat(error(FusedHeads.attend(q, k, v, Optional.of(mask), Optional.empty()), exact))
                        .isLessThanOrEqualTo(naive);
            }
            Tensor bias = Tensors.randn(Tensors.generator(9), 2, 77);
            Tensor exact = exact(q, k, v, bias.view(2, 1, 1, 77));
            Tensor added = BF16.place(bias).view(2, 1, 1, 77);
            double naive = error(AttentionKernel.NAIVE.attendHeads(q, k, v, Optional.of(added)), exact);
            assertThat(error(FusedHeads.attend(q, k, v, Optional.empty(), Optional.of(bias)), exact))
                    .isLessThanOrEqualTo(naive);
        }
    }

    @Test
    void aRowThatIsMaskedWhollyIsWhatLibtorchMakesOfIt() {
        try (var scope = TensorScope.open()) {
            Tensor x = random(10, 1, 1, 1, 5, 8);
            Tensor mask = torch.zeros(new long[] {5, 5}, BF16.options());
            mask.select(0, 3).fill_(new Scalar(Double.NEGATIVE_INFINITY));
            Tensor naive = AttentionKernel.NAIVE.attendHeads(x, x, x, Optional.of(mask));
            Tensor actual = FusedHeads.attend(x, x, x, Optional.of(mask), Optional.empty());
            assertThat(Tensors.longs(actual.isnan())).isEqualTo(Tensors.longs(naive.isnan()));
            assertThat(actual.isnan().sum().item_long()).isEqualTo(8);
        }
    }

    @Test
    void layoutsOfAllKindsGiveTheSame() {
        try (var scope = TensorScope.open()) {
            Tensor joined = random(11, 1, 2, 100, 3 * 48);
            Tensor q = heads(Tensors.slice(joined, 2, 0, 48));
            Tensor k = heads(Tensors.slice(joined, 2, 48, 96));
            Tensor v = heads(Tensors.slice(joined, 2, 96, 144));
            float[] expected = Tensors.floats(fused(q.contiguous(), k.contiguous(), v.contiguous()));
            assertThat(Tensors.floats(fused(q, k, v))).isEqualTo(expected);
            Tensor columns = v.transpose(2, 3).contiguous().transpose(2, 3); // elements of a row lie apart
            assertThat(columns.stride(3)).isNotEqualTo(1);
            assertThat(Tensors.floats(fused(q, columns.mul(new Scalar(0)).add_(k), columns)))
                    .isEqualTo(expected);
        }
    }

    private static Tensor heads(Tensor x) {
        return x.view(x.size(0), x.size(1), 3, 16).transpose(1, 2);
    }

    /** 3 heads of 1,500 queries are cut into ranges, once there are threads. */
    @ParameterizedTest
    @CsvSource({"1", "30"})
    void threadsGiveTheBitsOfOneAndEveryRunTheSame(double magnitude) throws Exception {
        try (var scope = TensorScope.open()) {
            Tensor q = random(12, magnitude, 1, 3, 1500, 40);
            Tensor k = random(13, magnitude, 1, 3, 700, 40);
            Tensor v = random(14, 1, 1, 3, 700, 40);
            Tensor alone = attend(q, k, v, Workers.NONE);
            assertThat(torch.equal(attend(q, k, v, new Workers(3)), alone)).isTrue();
            assertThat(torch.equal(fused(q, k, v), alone)).isTrue();
            var threads = Executors.newFixedThreadPool(3);
            List<Future<Boolean>> same = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                Callable<Boolean> computes = () -> {
                    try (var inner = TensorScope.open()) {
                        return torch.equal(fused(q, k, v), alone);
                    }
                };
                same.add(threads.submit(computes));
            }
            for (Future<Boolean> result : same) {
                assertThat(result.get()).isTrue();
            }
            threads.shutdown();
        }
    }

    @Test
    void whatTheKernelCannotComputeIsLeftToOthers() {
        try (var scope = TensorScope.open()) {
            assertThat(takes(random(15, 1, 1, 1, 5, 12))).isFalse();
            assertThat(takes(random(15, 1, 1, 1, 5, 512))).isFalse();
            assertThat(takes(torch.zeros(1, 1, 5, 16))).isFalse();
            assertThat(takes(random(15, 1, 1, 1, 0, 16))).isFalse();
            Tensor x = random(15, 1, 1, 1, 5, 16);
            assertThat(FusedHeads.take(x, x, random(15, 1, 1, 1, 4, 16), Optional.empty()))
                    .isFalse();
            assertThat(FusedHeads.take(x, x, x, Optional.of(random(15, 1, 1, 5))))
                    .isFalse();
            assertThat(takes(x)).isTrue();
        }
    }

    private static boolean takes(Tensor x) {
        return FusedHeads.take(x, x, x, Optional.empty());
    }

    @Test
    void nothingIsLeftBehind() throws InterruptedException, ExecutionException {
        try (var scope = TensorScope.open()) {
            Tensor x = random(16, 1, 2, 300, 80);
            Tensor bias = torch.zeros(2, 300);
            Tensor mask = torch.zeros(new long[] {300, 300}, BF16.options());
            long before = 0;
            for (int run = 0; run < 20; run++) {
                try (var inner = TensorScope.open()) {
                    AttentionKernel.EFFICIENT.attend(x, x, x, 2);
                    AttentionKernel.EFFICIENT.attend(x, x, x, 2, mask);
                    AttentionKernel.EFFICIENT.attendBiased(x, x, x, 2, bias);
                }
                before = run == 0 ? TensorScope.liveObjects() : before;
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
        }
    }
}
