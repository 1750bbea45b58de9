package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.pixels.Canny;
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
import java.nio.file.Files;
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

/** Images steered by ControlNets, compared with those of diffusers: {@code reference/parts/controlnet.py}. */
class ControlNetTest {
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    @TempDir
    private static Path folder;

    static Stream<Arguments> runs() {
        return Fixtures.cases("controlnet/runs/cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    private static StableDiffusionPipeline pipeline(String name) {
        return StableDiffusionPipeline.fromPretrained(
                Fixtures.path(name).toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    /** The folder of a net; those without weights of their own have those of sd1. */
    private static String net(String name) {
        Path fixture = Fixtures.path("controlnet/" + name);
        if (Files.exists(fixture.resolve(WEIGHTS))) {
            return fixture.toString();
        }
        Path copy = folder.resolve(name);
        if (!Files.exists(copy)) {
            try {
                Files.createDirectories(copy);
                Files.copy(fixture.resolve("config.json"), copy.resolve("config.json"));
                Files.copy(Fixtures.path("controlnet/sd1/" + WEIGHTS), copy.resolve(WEIGHTS));
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
        return copy.toString();
    }

    private static Control control(String net, String image) {
        return Control.of(net(net), Fixtures.path("controlnet/" + image));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void drawsTheImageThatTheReferenceDraws(String name, JsonNode c) throws IOException {
        List<Control> controls = new ArrayList<>();
        c.get("controls")
                .forEach(one -> controls.add(control(
                                one.get("net").textValue(), one.get("image").textValue())
                        .scale(one.get("scale").doubleValue())
                        .between(one.get("start").doubleValue(), one.get("end").doubleValue())));
        List<String> prompts = new ArrayList<>();
        c.get("prompts").forEach(prompt -> prompts.add(prompt.textValue()));
        Request request = Request.of(prompts.toArray(String[]::new))
                .negativePrompt(c.get("negative_prompt").textValue())
                .guidanceScale(c.get("guidance_scale").doubleValue())
                .steps(c.get("steps").intValue())
                .scheduler(c.get("scheduler").textValue())
                .seed(c.get("seed").longValue())
                .size(c.get("width").intValue(), c.get("height").intValue())
                .imagesPerPrompt(c.get("images_per_prompt").intValue())
                .guessMode(c.get("guess_mode").booleanValue())
                .controls(controls);
        try (var pipeline = pipeline(c.get("pipeline").textValue())) {
            ReferenceRun.prepare(pipeline, c);
            Result result = pipeline.generate(request);
            ReferenceRun.requireSameImages(result, c, "controlnet/runs/");
        }
    }

    private static Request request(Control... controls) {
        return Request.of("a rusty robot")
                .seed(3)
                .steps(3)
                .scheduler("euler")
                .size(64, 64)
                .controls(controls);
    }

    private static double difference(StableDiffusionPipeline pipeline, Request a, Request b) {
        return Fixtures.maxDifference(
                pipeline.generate(a).latents().tensor(),
                pipeline.generate(b).latents().tensor());
    }

    @Test
    void aFileWithoutAConfigIsReadUnderEitherNames() throws IOException {
        JsonNode names = new ObjectMapper()
                .readTree(Fixtures.path("controlnet/ldm-names.json").toFile());
        Path weights = Fixtures.path("controlnet/sd1/" + WEIGHTS);
        Path ldm = folder.resolve("ldm.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsFile file = SafetensorsFile.open(weights);
            Map<String, Tensor> renamed = new LinkedHashMap<>();
            file.names().forEach(name -> renamed.put(names.get(name).textValue(), file.load(name)));
            SafetensorsWriter.write(ldm, renamed);
        }
        Path image = Fixtures.path("controlnet/lines.png");
        try (var pipeline = pipeline("tiny-sd1")) {
            Request expected = request(control("sd1", "lines.png"));
            assertThat(difference(pipeline, expected, request(Control.of(ldm.toString(), image))))
                    .isZero();
            assertThat(difference(pipeline, expected, request(Control.of(weights.toString(), image))))
                    .isZero();
            assertThat(difference(pipeline, expected, request())).isGreaterThan(0.01);
        }
    }

    @Test
    void aFileOfSdxlGivesTheImageOfItsFolder() throws IOException {
        Path net = Fixtures.path("sdxl-tasks/control");
        Path ldm = LdmFile.writeControlNet(net, folder.resolve("xl-ldm.safetensors"));
        Path alone = Files.copy(net.resolve(WEIGHTS), folder.resolve("xl.safetensors"));
        Path image = Fixtures.path("controlnet/lines.png");
        try (var pipeline = pipeline("tiny-sdxl")) {
            Request expected = request(Control.of(net.toString(), image));
            for (Path file : List.of(ldm, alone)) {
                assertThat(difference(pipeline, expected, request(Control.of(file.toString(), image))))
                        .isZero();
            }
            assertThat(difference(pipeline, expected, request())).isGreaterThan(0.01);
        }
    }

    @Test
    void aControlWithoutStepsOrScaleChangesNothing() {
        try (var pipeline = pipeline("tiny-sd1")) {
            Control control = control("sd1", "waves.png");
            assertThat(difference(pipeline, request(), request(control.scale(0))))
                    .isLessThan(1e-6);
            assertThat(difference(pipeline, request(), request(control.between(0.9, 0.95))))
                    .isZero();
        }
    }

    @Test
    void everythingTogetherRunsAndLeavesNothingBehind() {
        try (var pipeline = pipeline("tiny-sd1")) {
            Request request = request(
                            control("sd1", "lines.png"),
                            control("sd1-bgr", "waves.png").scale(0.3))
                    .prompts(List.of("a [robot|harbour] AND oil:0.5"))
                    .promptSyntax(PromptSyntax.A1111)
                    .guidanceInterval(0.3, 1)
                    .reuseEvery(2)
                    .guessMode(true)
                    .imagesPerPrompt(2)
                    .merging(ToMeOptions.ratio(0.5));
            pipeline.generate(request);
            long before = TensorScope.liveObjects();
            assertThat(pipeline.generate(request).images()).hasSize(2);
            assertThat(TensorScope.liveObjects()).isLessThanOrEqualTo(before + 1);
            assertThat(difference(pipeline, request, request.mergeControlnet(true)))
                    .as("merging inside the nets changes the image")
                    .isGreaterThan(1e-4);
        }
    }

    @Test
    void whatCannotSteerIsRefusedByName() {
        Path image = Fixtures.path("controlnet/lines.png");
        try (var pipeline = pipeline("tiny-sd1")) {
            assertThatThrownBy(() -> pipeline.generate(request(control("sdxl", "lines.png"))))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("text embeddings of 64");
            for (var other : Map.of(
                            "lora_controlnet", "Control-LoRA",
                            "task_embedding", "Union",
                            "lllite_unet_x.down.0.weight", "LLLite",
                            "difference", "difference",
                            "x.weight", "no ControlNet")
                    .entrySet()) {
                Path file = folder.resolve("other.safetensors");
                try (var scope = TensorScope.open()) {
                    SafetensorsWriter.write(file, Map.of(other.getKey(), Tensors.of(new float[1], 1)));
                }
                assertThatThrownBy(() -> pipeline.generate(request(Control.of(file.toString(), image))))
                        .isInstanceOf(TomeException.class)
                        .hasMessageContaining(other.getValue());
            }
            assertThat(pipeline.generate(request()).images()).hasSize(1);
        }
    }

    @Test
    void parametersNameTheNetAndItsImageAndAreReadBack() {
        Control control = control("sd1", "lines.png").scale(0.7).between(0.1, 0.9);
        String text = GenerationParameters.of(request(control)).toText();
        assertThat(text)
                .contains("ControlNet 0: \"Module: none, Model: ")
                .contains("Weight: 0.7")
                .contains("lines.png");
        Request read = GenerationParameters.parse(text).request();
        assertThat(GenerationParameters.parse(text)).isEqualTo(GenerationParameters.of(request(control)));
        try (var pipeline = pipeline("tiny-sd1")) {
            assertThatThrownBy(() -> pipeline.generate(read))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("lines.png")
                    .hasMessageContaining(control.imageHash().substring(0, 10));
            Request again = read.controls(
                    read.controls().get(0).withImage(control.image().orElseThrow()));
            assertThat(difference(pipeline, request(control), again)).isZero();
            Request repeated = GenerationParameters.parse(text).repeated(Fixtures.path("controlnet"));
            assertThat(difference(pipeline, request(control), repeated)).isZero();
        }
        assertThatThrownBy(() -> GenerationParameters.parse(text).repeated(Fixtures.path("img2img")))
                .hasMessageContaining("'lines.png' is not in");
        assertThatThrownBy(() -> GenerationParameters.parse(text.replaceFirst("lines.png", "waves.png"))
                        .repeated(Fixtures.path("controlnet")))
                .hasMessageContaining("waves.png has changed");
    }

    @Test
    void edgesOfAPhotographAreFoundBeforeItIsResized() {
        Control control = control("sd1", "waves.png");
        Control edges = control.canny(new Canny(60, 120));
        Pixels photograph = control.image().orElseThrow();
        try (var pipeline = pipeline("tiny-sd1")) {
            Control map = control.withImage(new Canny(60, 120).of(photograph));
            assertThat(difference(pipeline, request(edges), request(map))).isZero();
            assertThat(difference(pipeline, request(edges), request(control))).isGreaterThan(1e-3);
        }
        GenerationParameters parameters = GenerationParameters.of(request(edges));
        assertThat(parameters.toText()).contains("Module: canny").contains("Threshold A: 60, Threshold B: 120");
        assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
    }

    @Test
    void sharesAndScalesOutOfRangeAreSaid() {
        Control control = control("sd1", "lines.png");
        assertThatThrownBy(() -> control.between(0.8, 0.2)).isInstanceOf(OptionException.class);
        assertThatThrownBy(() -> control.between(0, 1.5)).hasMessageContaining("control_end");
        assertThatThrownBy(() -> control.scale(Double.NaN)).hasMessageContaining("control_scale");
    }
}
