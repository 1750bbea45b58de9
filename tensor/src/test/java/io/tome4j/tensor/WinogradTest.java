package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@EnabledIf("runsHere")
class WinogradTest {
    private static final Placement BF16 = new Placement(ComputeDevice.CPU, DType.BF16);

    static boolean runsHere() {
        return Kernels.here().convolution().isPresent();
    }

    private static Tensor random(long seed, long... shape) {
        return BF16.place(Tensors.randn(Tensors.generator(seed), shape));
    }

    private static Winograd kernel(long in, long out) {
        return (Winograd) Winograd.find(BF16, in, out).orElseThrow();
    }

    private static double error(Tensor actual, Tensor exact) {
        return actual.to(ScalarType.Float).sub(exact).norm().item_float()
                / exact.norm().item_float();
    }

    @ParameterizedTest(name = "{0} x {1} x {2}, {3} to {4} channels")
    @CsvSource({
        "2, 64, 64, 32, 64",
        "1, 9, 7, 320, 64",
        "3, 1, 1, 16, 16",
        "2, 8, 8, 1280, 1280",
        "2, 17, 33, 80, 144",
        "1, 40, 24, 64, 960"
    })
    void itsErrorIsThreeTimesThatOfRoundingTheResultAtMost(long images, long height, long width, long in, long out) {
        try (var scope = TensorScope.open()) {
            Tensor x = random(1, images, in, height, width); // not channels-last: it takes what comes
            Tensor weight = random(2, out, in, 3, 3);
            Tensor bias = random(3, out);
            Tensor exact = torch.conv2d(
                    x.to(ScalarType.Float),
                    weight.to(ScalarType.Float),
                    new TensorOptional(bias.to(ScalarType.Float)),
                    new long[] {1, 1},
                    new long[] {1, 1},
                    new long[] {1, 1},
                    1);
            Winograd kernel = kernel(in, out);
            Tensor actual = kernel.convolve(x, kernel.layOut(weight), bias);
            assertThat(Tensors.shape(actual)).containsExactly(images, out, height, width);
            assertThat(actual.is_contiguous(torch.MemoryFormat.ChannelsLast)).isTrue();
            assertThat(error(actual, exact)).isLessThan(3 * error(BF16.place(exact), exact));
        }
    }

    @ParameterizedTest(name = "{0} threads")
    @CsvSource({"1", "2", "3", "16"})
    void theBitsAreThoseOfOneThreadWhateverTheirNumber(int threads) {
        try (var scope = TensorScope.open()) {
            Tensor x = random(4, 2, 48, 14, 10);
            Tensor bias = random(5, 320);
            Winograd kernel = kernel(48, 320);
            Tensor weight = kernel.layOut(random(6, 320, 48, 3, 3));
            Tensor alone = kernel.convolve(x, weight, bias, Workers.NONE);
            assertThat(kernel.convolve(x, weight, bias, new Workers(threads)).equal(alone))
                    .isTrue();
        }
    }

    @Test
    void severalThreadsMayCallAtOnce() throws InterruptedException, ExecutionException {
        var executor = Executors.newFixedThreadPool(4);
        try (var scope = TensorScope.open()) {
            Tensor x = random(7, 2, 64, 32, 32);
            Tensor bias = random(8, 128);
            Winograd kernel = kernel(64, 128);
            Tensor weight = kernel.layOut(random(9, 128, 64, 3, 3));
            Tensor expected = kernel.convolve(x, weight, bias);
            List<Callable<Boolean>> calls = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                calls.add(() -> {
                    try (var inner = TensorScope.open()) {
                        return kernel.convolve(x, weight, bias).equal(expected);
                    }
                });
            }
            for (Future<Boolean> same : executor.invokeAll(calls)) {
                assertThat(same.get()).isTrue();
            }
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void isForWhatItSuitsAlone() {
        assertThat(Winograd.find(BF16, 320, 320)).isPresent();
        assertThat(Winograd.find(BF16, 320, 4)).isEmpty();
        assertThat(Winograd.find(BF16, 4, 320)).isEmpty();
        assertThat(Winograd.find(BF16.dtype(DType.FP32), 320, 320)).isEmpty();
        assertThat(Winograd.find(BF16.dtype(DType.FP16), 320, 320)).isEmpty();
        assertThat(Winograd.find(new Placement(ComputeDevice.CUDA, DType.BF16), 320, 320))
                .isEmpty();
        assertThat(Winograd.find(BF16.convolution(ConvolutionKernel.DIRECT), 320, 320))
                .isEmpty();
        assertThat(BF16.convolution(ConvolutionKernel.DIRECT).dtype(DType.FP32).convolution())
                .isEqualTo(ConvolutionKernel.DIRECT);
    }

    @Test
    void ownKernelsAreForBothOrForNeither() {
        assertThat(ConvolutionKernel.beside(AttentionKernel.EFFICIENT)).isEqualTo(ConvolutionKernel.EFFICIENT);
        assertThat(ConvolutionKernel.beside(AttentionKernel.PORTABLE)).isEqualTo(ConvolutionKernel.DIRECT);
        assertThat(ConvolutionKernel.beside(AttentionKernel.NAIVE)).isEqualTo(ConvolutionKernel.DIRECT);
        assertThat(ConvolutionKernel.EFFICIENT.describe()).isEqualTo("winograd");
        assertThat(ConvolutionKernel.DIRECT.describe()).isEqualTo("direct");
    }
}
