package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Images as prompts, compared with what diffusers draws: {@code reference/parts/ip_adapter.py}. */
class IPAdapterTest {
    private static final String FOLDER = "ip-adapter/";

    @TempDir
    private static Path folder;

    static Stream<Arguments> cases() {
        return Fixtures.cases(FOLDER + "cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    private static StableDiffusionPipeline pipeline(String name, DTypeChoice dtype) {
        return StableDiffusionPipeline.fromPretrained(
                Fixtures.path(name).toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(dtype));
    }

    private static StableDiffusionPipeline pipeline(String name) {
        return pipeline(name, DTypeChoice.FP32);
    }

    private static String file(String adapter) {
        return Fixtures.path(FOLDER + adapter + ".safetensors").toString();
    }

    private static IPAdapter adapter(String name, String... images) {
        return IPAdapter.of(
                file(name),
                Stream.of(images).map(image -> Fixtures.path(FOLDER + image)).toArray(Path[]::new));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageThatTheReferenceDraws(String name, JsonNode c) throws IOException {
        List<IPAdapter> adapters = new ArrayList<>();
        for (JsonNode one : c.get("adapters")) {
            List<String> images = new ArrayList<>();
            one.get("images").forEach(image -> images.add(image.textValue()));
            adapters.add(adapter(one.get("adapter").textValue(), images.toArray(String[]::new))
                    .scale(one.get("scale").doubleValue()));
        }
        Request request = Request.of(SdxlParityTest.prompts(c))
                .guidanceScale(c.get("guidance_scale").doubleValue())
                .steps(c.get("steps").intValue())
                .scheduler(c.get("scheduler").textValue())
                .seed(c.get("seed").longValue())
                .size(c.get("width").intValue(), c.get("height").intValue())
                .imagesPerPrompt(c.get("images_per_prompt").intValue())
                .ipAdapters(adapters);
        if (!c.get("negative_prompt").isNull()) {
            request = request.negativePrompt(c.get("negative_prompt").textValue());
        }
        try (var pipeline = pipeline(c.get("model").textValue())) {
            ReferenceRun.prepare(pipeline, c);
            Result result = pipeline.generate(request);
            ReferenceRun.requireSameLatents(result, c, FOLDER);
            ReferenceRun.requireSameImages(result, c, FOLDER);
        }
    }

    private static Request request(IPAdapter... adapters) {
        return Request.of("a rusty robot")
                .seed(3)
                .steps(3)
                .scheduler("euler")
                .size(64, 64)
                .ipAdapters(adapters);
    }

    private static double difference(StableDiffusionPipeline pipeline, Request a, Request b) {
        return Fixtures.maxDifference(
                pipeline.generate(a).latents().tensor(),
                pipeline.generate(b).latents().tensor());
    }

    @Test
    void anAdapterOfScaleZeroChangesNothing() {
        try (var pipeline = pipeline("tiny-sd1")) {
            IPAdapter plain = adapter("sd1-plain", "wide.png");
            long before = pipeline.memoryEstimate(request(plain)).weights();
            assertThat(difference(pipeline, request(), request(plain))).isGreaterThan(0.01);
            assertThat(pipeline.memoryEstimate(request(plain)).weights())
                    .as("with the adapter and its encoder")
                    .isGreaterThan(before);
            assertThat(difference(pipeline, request(), request(plain.scale(0)))).isZero();
        }
    }

    @Test
    void halfPrecisionSeesTheSameImage() {
        try (var fp32 = pipeline("tiny-sd1");
                var bf16 = pipeline("tiny-sd1", DTypeChoice.BF16)) {
            Request request = request(adapter("sd1-plus", "tall.png"), adapter("sd1-plain", "wide.png"))
                    .steps(1);
            Tensor exact = fp32.generate(request).latents().tensor();
            double rounding = Fixtures.maxDifference(
                    exact, bf16.generate(request).latents().tensor());
            double effect = Fixtures.maxDifference(
                    exact, fp32.generate(request().steps(1)).latents().tensor());
            assertThat(rounding).isLessThan(effect / 4);
        }
    }

    @Test
    void everythingTogetherRunsAndLeavesNothingBehind() {
        try (var pipeline = pipeline("tiny-sd1")) {
            Control control =
                    Control.of(Fixtures.path("controlnet/sd1").toString(), Fixtures.path("controlnet/lines.png"));
            Request request = request(adapter("sd1-plain", "wide.png", "tall.png"), adapter("sd1-plus", "tall.png"))
                    .controls(control.scale(0.5))
                    .prompts(List.of("a [robot|harbour] AND oil:0.5"))
                    .promptSyntax(PromptSyntax.A1111)
                    .guidanceInterval(0.3, 1)
                    .reuseEvery(2)
                    .hires(2)
                    .imagesPerPrompt(2)
                    .merging(ToMeOptions.ratio(0.5).mergeCrossattn(true));
            pipeline.generate(request);
            long before = TensorScope.liveObjects();
            assertThat(pipeline.generate(request).images()).hasSize(2);
            assertThat(TensorScope.liveObjects()).isLessThanOrEqualTo(before + 1);
        }
    }

    @Test
    void whatDoesNotFitIsSaid() {
        try (var pipeline = pipeline("tiny-sd1")) {
            assertThatThrownBy(() -> pipeline.generate(request(adapter("xl-plain", "wide.png"))))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("text embeddings of 64");
            assertThatThrownBy(() -> pipeline.generate(request(IPAdapter.of(
                            Fixtures.path("controlnet/sd1/diffusion_pytorch_model.safetensors")
                                    .toString(),
                            Fixtures.path(FOLDER + "wide.png")))))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("ip_adapter_encoder is missing");
            IPAdapter elsewhere = IPAdapter.of(
                            Fixtures.path("controlnet/sd1/diffusion_pytorch_model.safetensors")
                                    .toString(),
                            Fixtures.path(FOLDER + "wide.png"))
                    .encoder(Fixtures.path(FOLDER + "image_encoder").toString());
            assertThatThrownBy(() -> pipeline.generate(request(elsewhere)))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("no IP-Adapter");
            assertThatThrownBy(() -> pipeline.generate(
                            request(IPAdapter.of("missing.safetensors", Fixtures.path(FOLDER + "wide.png"))
                                    .encoder(elsewhere.encoder()))))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("no such file");
            assertThat(pipeline.generate(request()).images()).hasSize(1);
        }
    }

    @Test
    void anEncoderOfAnotherWidthAndAFaceAdapterAreRefused() {
        Path wide = folder.resolve("wide.safetensors");
        Path face = folder.resolve("face.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsFile plain = SafetensorsFile.open(Path.of(file("sd1-plain")));
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            plain.names().forEach(name -> tensors.put(name, plain.load(name)));
            tensors.put("image_proj.proj.weight", Tensors.of(new float[4 * 32 * 28], 4 * 32, 28));
            SafetensorsWriter.write(wide, tensors);
            tensors.put("image_proj.proj.0.weight", tensors.remove("image_proj.proj.weight"));
            SafetensorsWriter.write(face, tensors);
        }
        try (var pipeline = pipeline("tiny-sd1")) {
            IPAdapter good = adapter("sd1-plain", "wide.png");
            String encoder = Fixtures.path(FOLDER + "image_encoder").toString();
            assertThatThrownBy(() -> pipeline.generate(request(
                            IPAdapter.of(wide.toString(), good.images().get(0)).encoder(encoder))))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("embeddings of 28")
                    .hasMessageContaining("gives 20");
            assertThatThrownBy(() -> pipeline.generate(request(
                            IPAdapter.of(face.toString(), good.images().get(0)).encoder(encoder))))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("FaceID");
        }
    }

    @Test
    void parametersNameTheAdapterAndItsImagesAndAreReadBack() {
        Request request = request(
                adapter("sd1-plain", "wide.png", "tall.png").scale(0.7),
                adapter("sd1-plus", "tall.png")
                        .encoder(Fixtures.path(FOLDER + "image_encoder").toString()));
        GenerationParameters parameters = GenerationParameters.of(request);
        assertThat(parameters.toText())
                .contains("IP-Adapter 0: \"Model: ")
                .contains("Weight: 0.7, Image: wide.png [")
                .contains(", Encoder: ");
        GenerationParameters read = GenerationParameters.parse(parameters.toText());
        assertThat(read).isEqualTo(parameters);
        assertThat(read.repeated(Fixtures.path("ip-adapter")).ipAdapters()).isEqualTo(request.ipAdapters());
        try (var pipeline = pipeline("tiny-sd1")) {
            assertThatThrownBy(() -> pipeline.generate(read.request()))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("ip_adapter_image is missing")
                    .hasMessageContaining("wide.png");
        }
        IPAdapter first = read.request().ipAdapters().get(0);
        Pixels[] images = request.ipAdapters().get(0).images().toArray(Pixels[]::new);
        assertThat(first.withImages(images)).isEqualTo(request.ipAdapters().get(0));
    }

    @Test
    void scalesAreNumbersAndImagesAreThere() {
        IPAdapter plain = adapter("sd1-plain", "wide.png");
        assertThatThrownBy(() -> plain.scale(Double.NaN)).hasMessageContaining("ip_adapter_scale");
        assertThatThrownBy(() -> adapter("sd1-plain")).hasMessageContaining("ip_adapter_image is missing");
    }
}
