package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.tome4j.kernels.Kernels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class EngineTest {
    @Test
    void liftsTheLimitThatJavaCppPutsOnNativeMemory() {
        Engine.start();
        assertThat(Pointer.maxPhysicalBytes()).isZero();
        assertThat(Pointer.maxBytes()).isZero();
    }

    /** In a process of its own, with a small heap: there the limit would be 256 MB. */
    @Test
    void liftsTheLimitThatAnApplicationHasMadeJavaCppReadBefore() throws Exception {
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        UsesJavaCppFirst.class.getName())
                .redirectErrorStream(true)
                .start();
        assertThat(new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .contains("before 268435456 after 0");
        assertThat(java.waitFor()).isZero();
    }

    /** An application that has pointers of its own before it needs an engine. */
    static final class UsesJavaCppFirst {
        private UsesJavaCppFirst() {}

        public static void main(String[] args) {
            try (BytePointer pointer = new BytePointer(1000)) {
                pointer.put(0, (byte) 1);
            }
            String before = "before " + Pointer.maxPhysicalBytes();
            Engine.start();
            System.out.println(before + " after " + Pointer.maxPhysicalBytes());
        }
    }

    @Test
    void describesEngineDeviceDtypeAndThreadsInOneLine() {
        String line = Engine.start().describe(Placement.CPU_FP32);
        assertThat(line)
                .matches("PyTorch \\d+\\.\\d+\\.\\d+, cpu \\(.+\\), fp32, \\d+ threads?.*")
                .doesNotContain("\n");
    }

    @Test
    void saysWhatComputesAttentionWhereThereIsAChoice() {
        var bf16 = new Placement(ComputeDevice.CPU, DType.BF16);
        String kernel = Kernels.here().attentionName();
        assertThat(kernel).matches("avx512_bf16 kernel|portable.*");
        assertThat(Engine.start().describe(bf16)).contains(", attention: " + kernel);
        assertThat(Engine.start().describe(bf16, AttentionKernel.PORTABLE)).contains(", attention: portable");
        assertThat(Engine.start().describe(bf16.convolution(ConvolutionKernel.DIRECT)))
                .contains(", convolution: direct");
        assertThat(Engine.start().describe(Placement.CPU_FP32)).doesNotContain("attention");
    }

    @Test
    void autoIsResolvedToWhatThisMachineHas() {
        Engine engine = Engine.start();
        Placement cpu = Placement.choose(DeviceChoice.CPU, DTypeChoice.AUTO);
        assertThat(cpu.device()).isEqualTo(ComputeDevice.CPU);
        assertThat(cpu.dtype()).isEqualTo(engine.cpuHasBf16() ? DType.BF16 : DType.FP32);
        assertThat(Placement.choose(DeviceChoice.AUTO, DTypeChoice.FP32).device())
                .isEqualTo(engine.cudaAvailable() ? ComputeDevice.CUDA : ComputeDevice.CPU);
    }

    @Test
    void cudaThatIsNotThereIsAnErrorThatSaysWhatToDo() {
        assumeFalse(Engine.start().cudaAvailable());
        assertThatThrownBy(() -> Placement.choose(DeviceChoice.CUDA, DTypeChoice.AUTO))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("No CUDA device")
                .hasMessageContaining("choose the device cpu");
    }

    @Test
    void aCudaDeviceThatIsNotThereIsRefused() {
        assertThatThrownBy(() -> Engine.start().useCudaDevice(99))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("no CUDA device 99");
    }
}
