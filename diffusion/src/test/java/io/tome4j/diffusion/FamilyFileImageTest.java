package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file of each family gives the image that its folder gives: what {@link SingleFileImageTest} shows of Stable Diffusion 1 and 2. */
class FamilyFileImageTest {
    private static final PipelineOptions CPU =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final Request REQUEST = Request.of("a red fox")
            .seed(5)
            .steps(2)
            .size(64, 64)
            .merging(ToMeOptions.ratio(0.5).maxDownsample(2));
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    @TempDir
    Path folder;

    private static float[] latents(Path model, PipelineOptions options, Request request) {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.toString(), options)) {
            return pipeline.generate(request).latents().values();
        }
    }

    private static void assertGivesTheImageOf(Path model, Path file, Request request) {
        assertThat(latents(file, CPU.config(model.toString()), request)).isEqualTo(latents(model, CPU, request));
    }

    @Test
    void latentConsistency() throws IOException {
        Path model = folder.resolve("lcm");
        Fixtures.copy(
                "tiny-sd1",
                model,
                file -> !file.startsWith("unet") && file.getNameCount() > 1 && !file.startsWith("scheduler"));
        Fixtures.copy("few-steps/lcm", model, file -> true);
        Files.copy(
                Fixtures.path("tiny-sd1/unet/" + WEIGHTS),
                model.resolve("unet/diffusion_pytorch_model-00001-of-00002.safetensors"));
        Path file = LdmFile.write(model, folder.resolve("lcm.safetensors"), false);
        Request request = REQUEST.guidanceScale(4);
        assertGivesTheImageOf(model, file, request);
        assertThat(latents(file, CPU.config(model.toString()), request.guidanceScale(9)))
                .as("the guidance scale is told to the model")
                .isNotEqualTo(latents(model, CPU, request));
    }

    @Test
    void inpainting() {
        Path model = folder.resolve("inpainting");
        Fixtures.copy("tiny-sd2", model, file -> !file.startsWith("unet") && !file.endsWith("model_index.json"));
        Fixtures.copy("inpaint", model, file -> file.startsWith("unet") || file.endsWith("model_index.json"));
        Path file = LdmFile.write(model, folder.resolve("inpainting.safetensors"), true);
        Start start = Start.from(SourceImage.read(Fixtures.path("inpaint/source.png")), 0.9)
                .repainting(SourceImage.read(Fixtures.path("inpaint/mask.png")));
        assertGivesTheImageOf(model, file, REQUEST.start(start));
    }

    @ParameterizedTest
    @CsvSource({"tiny-sd1", "tiny-sd2", "tiny-sdxl", "tiny-sdxl-refiner"})
    void allPartsUnderDiffusersNames(String pipeline) {
        Path model = Fixtures.path(pipeline);
        assertGivesTheImageOf(
                model, LdmFile.writeUnderDiffusersNames(model, folder.resolve("model.safetensors")), REQUEST);
    }

    @ParameterizedTest
    @CsvSource({"tiny-sdxl", "tiny-sdxl-refiner"})
    void theUNetOfXlAlone(String pipeline) {
        Path model = Fixtures.path(pipeline);
        assertGivesTheImageOf(model, LdmFile.writeUNet(model, folder.resolve("unet.safetensors")), REQUEST);
        assertGivesTheImageOf(model, model.resolve("unet/" + WEIGHTS), REQUEST);
    }

    @Test
    void aBaseModelAndItsRefinerBothInFiles() {
        Path base = LdmFile.writeXl(Fixtures.path("tiny-sdxl"), folder.resolve("base.safetensors"));
        Path refiner = Fixtures.path("tiny-sdxl-refiner");
        Request request = REQUEST.steps(5).refinerStart(0.6);
        assertThat(latents(
                        base, CPU.config(Fixtures.path("tiny-sdxl").toString()).refiner(refiner.toString()), request))
                .isEqualTo(latents(Fixtures.path("tiny-sdxl"), CPU.refiner(refiner.toString()), request));
    }

    /** A file with some of its tensors changed. */
    private Path changed(Path file, UnaryOperator<Tensor> ofUNet) {
        Path changed = folder.resolve("changed.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsFile stored = SafetensorsFile.open(file);
            Map<String, Tensor> tensors = new TreeMap<>();
            for (String name : stored.names()) {
                Tensor tensor = stored.load(name);
                boolean isLarge = name.startsWith("model.diffusion_model.") && tensor.dim() > 1;
                tensors.put(name, isLarge ? ofUNet.apply(tensor) : tensor);
            }
            SafetensorsWriter.write(changed, tensors);
        }
        return changed;
    }

    @ParameterizedTest
    @CsvSource({"Half", "BFloat16", "Float8_e4m3fn", "Float8_e5m2"})
    void valuesOfXlInFewerBitsAreWhatTheyAreInThirtyTwo(ScalarType type) {
        Path model = Fixtures.path("tiny-sdxl");
        Path file = LdmFile.writeXl(model, folder.resolve("model.safetensors"));
        PipelineOptions like = CPU.config(model.toString());
        float[] exact = latents(file, like, REQUEST);
        float[] expected = latents(changed(file, tensor -> tensor.to(type).to(ScalarType.Float)), like, REQUEST);
        assertThat(latents(changed(file, tensor -> tensor.to(type)), like, REQUEST))
                .isEqualTo(expected)
                .isNotEqualTo(exact);
    }

    @Test
    void aLoraFitsAFileAsItFitsItsFolder() {
        Path model = Fixtures.path("tiny-sdxl");
        Path file = LdmFile.writeXl(model, folder.resolve("model.safetensors"));
        assertGivesTheImageOf(
                model, file, REQUEST.loras(Lora.of(Fixtures.path("sdxl-adapters/kohya-ldm.safetensors"))));
    }
}
