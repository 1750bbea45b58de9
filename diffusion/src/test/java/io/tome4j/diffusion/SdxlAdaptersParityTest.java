package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * SDXL with LoRAs, pairs of textual inversions and clip skip, compared with diffusers' images and embeddings: see {@code
 * reference/parts/sdxl_adapters.py}.
 */
class SdxlAdaptersParityTest {
    private static final double TEXT_TOLERANCE = 1e-5;
    private static final String REFINER = "tiny-sdxl-refiner";
    private static final PipelineOptions FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);

    private static Path file(String name) {
        return Fixtures.path("sdxl-adapters/" + name + ".safetensors");
    }

    /** Each case, and again with each other file that says the same. */
    static Stream<Arguments> cases() {
        List<Arguments> all = new ArrayList<>();
        for (JsonNode c : Fixtures.cases("sdxl-adapters/cases.json")) {
            String name = c.get("name").textValue();
            all.add(Arguments.of(name, c, Optional.empty()));
            c.get("spellings")
                    .forEach(file ->
                            all.add(Arguments.of(name + " " + file.textValue(), c, Optional.of(file.textValue()))));
        }
        return all.stream();
    }

    private static Request request(JsonNode c, Optional<String> spelling) {
        List<Lora> loras = new ArrayList<>();
        c.get("loras")
                .forEach(lora ->
                        loras.add(Lora.of(file(spelling.orElse(lora.get(0).textValue())))
                                .weight(lora.get(1).doubleValue())
                                .textWeight(lora.get(2).doubleValue())));
        c.get("refiner_loras").forEach(lora -> loras.add(Lora.of(file(lora.textValue()))));
        boolean webUi = c.get("syntax").textValue().equals("a1111");
        List<Embedding> embeddings = new ArrayList<>();
        c.get("embeddings").forEach(embedding -> {
            Embedding of = Embedding.of(file(embedding.get(0).textValue()));
            embeddings.add(webUi ? of : of.token(embedding.get(1).textValue()));
        });
        return SdxlParityTest.request(c)
                .with(Request.PROMPT_SYNTAX, webUi ? PromptSyntax.A1111 : PromptSyntax.PLAIN)
                .loras(loras)
                .embeddings(embeddings);
    }

    private static PipelineOptions options(JsonNode c) {
        return c.get("refiner_start").isNull()
                ? FP32
                : FP32.refiner(Fixtures.path(REFINER).toString());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageThatTheReferenceDraws(String name, JsonNode c, Optional<String> spelling) throws IOException {
        Request request = request(c, spelling);
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sdxl").toString(), options(c).loras(request.loras()))) {
            ReferenceRun.prepare(pipeline, c);
            Result result = pipeline.generate(request);
            assertThat(result.warnings()).isEmpty();
            ReferenceRun.requireSameImages(result, c, "sdxl-adapters/");
        }
    }

    static Stream<Arguments> texts() {
        SafetensorsFile texts = SafetensorsFile.open(file("texts"));
        return Fixtures.cases("sdxl-adapters/cases.json").stream()
                .flatMap(c -> Stream.of("base", "refiner").map(model -> Arguments.of(c, model)))
                .filter(each -> texts.names().contains(key(each) + ".pooled"));
    }

    private static String key(Arguments each) {
        return ((JsonNode) each.get()[0]).get("name").textValue() + "." + each.get()[1];
    }

    @ParameterizedTest
    @MethodSource("texts")
    void textsAreEncodedAsTheReferenceDoes(JsonNode c, String model) {
        ModelFamily family = model.equals("base") ? StableDiffusionXl.BASE : StableDiffusionXl.REFINER;
        Path folder = Fixtures.path(model.equals("base") ? "tiny-sdxl" : REFINER);
        String key = c.get("name").textValue() + "." + model;
        Request request = request(c, Optional.empty());
        SafetensorsFile texts = SafetensorsFile.open(file("texts"));
        try (Stages stages = family.load(
                        CheckpointFolder.open(folder), model, new Placement(ComputeDevice.CPU, DType.FP32), FP32);
                var scope = TensorScope.open()) {
            stages.adapters()
                    .add(request.loras().stream()
                            .filter(lora -> stages.adapters().fits(lora))
                            .toList());
            TextConditioning made = stages.prompts()
                    .encode(request.imagesPerPrompt(1), new Guidance(5))
                    .conditioning()
                    .conditioning(0);
            Tensor some = made.embeddings().get(0).slice(1, new LongOptional(0), new LongOptional(), 3);
            Tensor pooled = made.added().orElseThrow().pooled();
            assertThat(Fixtures.maxDifference(pooled, texts.load(key + ".pooled")))
                    .as("pooled")
                    .isLessThan(TEXT_TOLERANCE);
            assertThat(Fixtures.maxDifference(some, texts.load(key + ".text")))
                    .as("text")
                    .isLessThan(TEXT_TOLERANCE);
        }
    }

    private static final Request SMALL = Request.of("a robot")
            .seed(3)
            .steps(2)
            .size(64, 64)
            .scheduler("euler")
            .merging(ToMeOptions.NONE);

    @Test
    void lorasThatWereAddedWhileLoadingAreThoseOfRequestsAndAreTakenAway() {
        Request with = SMALL.loras(Lora.of(file("kohya")).weight(0.7));
        String model = Fixtures.path("tiny-sdxl").toString();
        try (var plain = StableDiffusionPipeline.fromPretrained(model, FP32);
                var loaded = StableDiffusionPipeline.fromPretrained(model, FP32.loras(with.loras()))) {
            float[] without = plain.generate(SMALL).latents().values();
            float[] expected = plain.generate(with).latents().values();
            assertThat(expected).isNotEqualTo(without);
            assertThat(loaded.generate(with).latents().values()).isEqualTo(expected);
            assertThat(loaded.generate(SMALL).latents().values()).isEqualTo(without);
            assertThat(loaded.generate(with).latents().values()).isEqualTo(expected);
            assertThat(plain.generate(SMALL).latents().values()).isEqualTo(without);
        }
    }

    @Test
    void aLoraOfTheRefinerGoesToItAndImagesNameBoth() {
        Request both = SMALL.steps(4)
                .refinerStart(0.5)
                .loras(Lora.of(file("refiner-kohya")), Lora.of(file("kohya")).weight(0.5));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sdxl").toString(),
                FP32.refiner(Fixtures.path(REFINER).toString()))) {
            Result result = pipeline.generate(both);
            assertThat(result.request().loras()).extracting(Lora::name).containsExactly("refiner-kohya", "kohya");
            assertThat(result.request().loras())
                    .allSatisfy(lora -> assertThat(lora.hash()).hasSize(12));
            float[] ofBaseAlone = pipeline.generate(
                            both.loras(Lora.of(file("kohya")).weight(0.5)))
                    .latents()
                    .values();
            assertThat(ofBaseAlone).isNotEqualTo(result.latents().values());
            assertThat(pipeline.generate(both).latents().values())
                    .isEqualTo(result.latents().values());
        }
    }
}
