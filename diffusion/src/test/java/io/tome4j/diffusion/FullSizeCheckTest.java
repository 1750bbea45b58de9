package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.MergeContext;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One UNet forward at full Stable Diffusion 1.5 size, compared with {@code diffusers}. Too big for every build:
 *
 * <pre>
 * python reference/full_size_check.py --out DIR
 * mvn -B verify -pl diffusion -am -Dtest=FullSizeCheckTest -Dsurefire.failIfNoSpecifiedTests=false -Dtome4j.fullSize=DIR
 * </pre>
 */
@EnabledIfSystemProperty(named = "tome4j.fullSize", matches = ".+")
class FullSizeCheckTest {
    /**
     * In fp32 the two differ by rounding alone. In bf16 each differs from fp32 by as much as they differ from one
     * another: of values of standard deviation 0.8, the reference's own largest error is 0.05.
     */
    @ParameterizedTest
    @CsvSource({"FP32, EFFICIENT, 1e-3", "FP32, NAIVE, 1e-3", "BF16, EFFICIENT, 8e-2", "BF16, NAIVE, 8e-2"})
    void predictsWhatDiffusersPredicts(DType dtype, AttentionKernel kernel, double tolerance) {
        Path folder = Path.of(System.getProperty("tome4j.fullSize"));
        SafetensorsFile expected = SafetensorsFile.open(folder.resolve("forward.safetensors"));
        Weights weights = Weights.of(
                SafetensorsFile.open(folder.resolve("unet/diffusion_pytorch_model.safetensors")),
                new Placement(ComputeDevice.CPU, dtype));
        long start = System.nanoTime();
        try (var unet = UNet2DConditionModel.of(weights, Config.read(folder.resolve("unet/config.json")), kernel);
                var scope = TensorScope.open()) {
            long loaded = System.nanoTime();
            Tensor output = unet.forward(
                    expected.load("unet.sample"),
                    Tensors.longs(expected.load("unet.timestep"))[0],
                    expected.load("unet.encoder_hidden_states"),
                    MergeContext.NONE);
            double difference = Fixtures.maxDifference(output, expected.load("unet.output_fp32"));
            System.out.printf(
                    "%s %s: loaded in %.1f s, forward in %.1f s, largest difference from fp32 %.2e%n",
                    dtype, kernel, (loaded - start) / 1e9, (System.nanoTime() - loaded) / 1e9, difference);
            assertThat(difference).isLessThan(tolerance);
        }
    }
}
