package io.tome4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class KernelsTest {
    private final List<String> log = new ArrayList<>();

    static boolean runsHere() {
        return FusedAttentionTest.runsHere() && !Kernels.here().attentionName().contains("AMX");
    }

    @Test
    void askingAgainGivesTheSame() {
        assertThat(Kernels.here()).isSameAs(Kernels.here());
    }

    @Test
    @EnabledIf("runsHere")
    void thisMachineRunsTheKernel() {
        assertThat(Kernels.here().attention()).isPresent();
        assertThat(Kernels.here().convolution()).isPresent();
        assertThat(Kernels.here().attentionName()).isEqualTo("avx512_bf16 kernel");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void aFileThatIsNoLibraryIsOneLineAndThePortableWay() {
        byte[] nothing = "no library".getBytes(StandardCharsets.UTF_8);
        Kernels kernels = Kernels.find(() -> NativeLibrary.load(nothing), log::add);
        assertThat(kernels.attention()).isEmpty();
        assertThat(kernels.convolution()).isEmpty();
        assertThat(kernels.attentionName()).startsWith("portable");
        assertThat(log).singleElement().asString().contains("cannot be used").doesNotContain("\n");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void aLibraryWithoutOurFunctionsIsOneLineAndThePortableWay() {
        Kernels kernels = Kernels.find(
                () -> {
                    throw new UnsatisfiedLinkError("'boolean io.tome4j.kernels.NativeCalls.hasAvx512Bf16()'");
                },
                log::add);
        assertThat(kernels.attention()).isEmpty();
        assertThat(log).singleElement().asString().contains("hasAvx512Bf16");
    }

    @Test
    void aCpuWithoutTheInstructionsOrWithBetterOnesGoesWithout() {
        assertThat(Kernels.missing(false, false)).hasValue("the CPU has no avx512_bf16");
        assertThat(Kernels.missing(false, true)).hasValue("the CPU has no avx512_bf16");
        assertThat(Kernels.missing(true, true)).hasValue("the CPU has AMX");
        assertThat(Kernels.missing(true, false)).isEmpty();
    }

    @Test
    @EnabledIf("runsHere")
    void theSelfTestPassesTheKernelAndNothingElse() {
        var attention = new FusedAttention();
        assertThat(SelfTest.passes(attention::attend)).isTrue();
        assertThat(SelfTest.passes((head, scratch) -> {})).isFalse();
        // one that forgets the mask, the bias, or the last row
        assertThat(SelfTest.passes((h, scratch) -> attention.attend(
                        new AttentionHead(
                                h.queries(),
                                h.keys(),
                                h.values(),
                                h.out(),
                                Matrix.NONE,
                                h.bias(),
                                h.rows(),
                                h.count(),
                                h.size(),
                                h.scale()),
                        scratch)))
                .isFalse();
        assertThat(SelfTest.passes((h, scratch) -> attention.attend(
                        new AttentionHead(
                                h.queries(),
                                h.keys(),
                                h.values(),
                                h.out(),
                                h.mask(),
                                0,
                                h.rows(),
                                h.count(),
                                h.size(),
                                h.scale()),
                        scratch)))
                .isFalse();
        assertThat(SelfTest.passes((h, scratch) -> attention.attend(h.range(0, h.rows() - 1), scratch)))
                .isFalse();
    }

    @Test
    @EnabledIf("runsHere")
    void theConvolutionsSelfTestPassesTheKernelAndNothingElse() {
        WinogradConvolution kernel = Kernels.here().convolution().orElseThrow();
        assertThat(ConvolutionSelfTest.passes(kernel)).isTrue();
        assertThat(ConvolutionSelfTest.passes(kernel, (c, scratch) -> {})).isFalse();
        long tiles = kernel.tiles(2, 9, 11);
        // one that forgets the last tile, the last group, or where an image ends
        assertThat(ConvolutionSelfTest.passes(kernel, (c, scratch) -> kernel.convolve(c, 0, tiles - 1, 0, 2, scratch)))
                .isFalse();
        assertThat(ConvolutionSelfTest.passes(kernel, (c, scratch) -> kernel.convolve(c, 0, tiles, 0, 1, scratch)))
                .isFalse();
        assertThat(ConvolutionSelfTest.passes(
                        kernel,
                        (c, scratch) -> kernel.convolve(
                                new Convolution(
                                        c.x(), c.weights(), c.bias(), c.result(), 1, 18, c.width(), c.in(), c.out()),
                                0,
                                9 * 6,
                                0,
                                2,
                                scratch)))
                .isFalse();
    }
}
