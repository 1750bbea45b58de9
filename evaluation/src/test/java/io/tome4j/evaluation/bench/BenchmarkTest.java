package io.tome4j.evaluation.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.evaluation.bench.CellResult.Status;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.Profile.Part;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchmarkTest {
    private static final Path FIXTURES = Path.of(System.getProperty("tome4j.fixtures"));

    private static BenchSettings settings(Placement placement, ToMeOptions merging) {
        return new BenchSettings(
                "tiny",
                true,
                placement,
                List.of(64),
                List.of(1),
                List.of(Variant.values()),
                List.of(0.5),
                merging,
                1,
                2);
    }

    private static Config config(String model) {
        return Config.read(FIXTURES.resolve(model).resolve("unet").resolve("config.json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-sd1", "tiny-sd2"})
    void randomWeightsAreThoseThatAUNetOfTheConfigHas(String name) {
        try (BenchModel model = BenchModel.random(config(name), Placement.CPU_FP32);
                var scope = TensorScope.open()) {
            // building it checks that no tensor is missing, left over or of another shape
            Tensor out = model.unet(AttentionKernel.EFFICIENT)
                    .forward(
                            Tensors.randn(Tensors.generator(1), 2, 4, 8, 8),
                            500,
                            Tensors.randn(
                                    Tensors.generator(2), 2, 77, model.config().crossAttentionDim()),
                            io.tome4j.merging.MergeContext.NONE);
            for (float value : Tensors.floats(out)) {
                assertThat(Math.abs(value)).isFinite().isLessThan(20);
            }
        }
    }

    @Test
    void bothKernelsShareTheirWeights() {
        try (BenchModel model = BenchModel.random(config("tiny-sd1"), Placement.CPU_FP32)) {
            long before = TensorScope.liveObjects();
            model.unet(AttentionKernel.EFFICIENT);
            model.unet(AttentionKernel.NAIVE);
            assertThat(TensorScope.liveObjects()).isGreaterThan(before);
            Denoising denoising = new Denoising(model, ToMeOptions.ratio(0));
            denoising.run(new Cell(64, 1, Variant.VANILLA, 0), 1);
        }
    }

    @Test
    void everyVariantOfACheckpointIsMeasured() {
        Placement placement = Placement.CPU_FP32.dtype(DType.BF16);
        BenchSettings settings = settings(placement, ToMeOptions.ratio(0));
        try (BenchModel model = BenchModel.fromPretrained(
                FIXTURES.resolve("tiny-sd1").toString(),
                false,
                PipelineOptions.DEFAULT,
                DownloadListener.SILENT,
                placement)) {
            BenchReport report = Benchmark.of(model, settings).run();
            assertThat(report.results()).hasSize(Variant.values().length).allSatisfy(result -> {
                assertThat(result.status()).isEqualTo(Status.MEASURED);
                assertThat(result.samples()).hasSize(2).allMatch(seconds -> seconds > 0);
            });
            ProfileReport profile = ProfileReport.measure(model, settings, BenchListener.SILENT);
            assertThat(profile.peak().most()).isPositive();
            assertThat(profile.profiles()).hasSize(Variant.values().length).allSatisfy(step -> {
                assertThat(step.parts())
                        .containsKeys(Part.CONVOLUTION, Part.LINEAR, Part.ATTENTION, Part.NORMALIZATION);
                assertThat(step.parts().containsKey(Part.MATCHING))
                        .isEqualTo(step.cell().variant().merges());
                assertThat(step.flops()).isPositive();
            });
        }
    }

    @Test
    void theReportSaysWhatMergesOnAModelWhoseBlocksBeginDeeper() {
        BenchSettings settings = settings(Placement.CPU_FP32, ToMeOptions.NONE);
        try (BenchModel model = BenchModel.random(config("tiny-sdxl"), Placement.CPU_FP32)) {
            BenchReport report = Benchmark.of(model, settings).run();
            assertThat(report.settings().merging().maxDownsample()).isEqualTo(2);
            assertThat(BenchFormat.JSON.format(report)).contains("\"max_downsample\" : 2");
        }
        try (BenchModel model = BenchModel.random(config("tiny-sd1"), Placement.CPU_FP32)) {
            assertThat(settings.resolvedFor(model).merging().maxDownsample()).isEqualTo(1);
        }
    }

    @Test
    void nothingIsLeftBehind() {
        BenchSettings settings = settings(Placement.CPU_FP32, ToMeOptions.ratio(0));
        long before = 0;
        for (int i = 0; i < 3; i++) {
            try (BenchModel model = BenchModel.random(config("tiny-sd1"), Placement.CPU_FP32)) {
                Benchmark.of(model, settings).run();
            }
            if (i == 0) {
                before = TensorScope.liveObjects();
            }
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void mergingWithoutEffectOnTheModelIsAnError() {
        BenchSettings settings =
                settings(Placement.CPU_FP32, ToMeOptions.ratio(0.5).mergeAttn(false));
        try (BenchModel model = BenchModel.random(config("tiny-sd1"), Placement.CPU_FP32)) {
            assertThatThrownBy(() -> Benchmark.of(model, settings).run())
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("merge_attn");
        }
    }
}
