package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.diffusion.prompt.CompelPrompt;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.diffusion.prompt.WeightedText;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMe;
import io.tome4j.models.unet.AddedConditioning;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Prompts in compel's syntax, compared with what compel makes of them: {@code reference/parts/compel_syntax.py}. */
class CompelParityTest {
    private static final PipelineOptions CPU =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final Map<String, Stages> LOADED = new HashMap<>();

    @AfterAll
    static void closeModels() {
        LOADED.values().forEach(Stages::close);
        LOADED.clear();
    }

    private static Stages stages(String pipeline) {
        return LOADED.computeIfAbsent(
                pipeline, name -> PipelineLoader.load(Fixtures.path(name).toString(), CPU, DownloadListener.SILENT));
    }

    static Stream<JsonNode> parsed() {
        return Fixtures.cases("compel/parsed.json").stream();
    }

    static Stream<JsonNode> states() {
        return Fixtures.cases("compel/states.json").stream();
    }

    static Stream<JsonNode> runs() {
        return Fixtures.cases("compel/runs/cases.json").stream();
    }

    @ParameterizedTest
    @MethodSource("parsed")
    void readsWhatCompelReads(JsonNode c) {
        CompelPrompt prompt = CompelPrompt.parse(c.get("prompt").textValue());
        JsonNode parts = c.get("parts");
        assertThat(prompt.parts()).hasSize(parts.size());
        for (int i = 0; i < parts.size(); i++) {
            CompelPrompt.Part part = prompt.parts().get(i);
            JsonNode texts = parts.get(i).get(2);
            assertThat(part.weight()).isEqualTo(parts.get(i).get(0).doubleValue());
            assertThat(part.normalized()).isEqualTo(parts.get(i).get(1).booleanValue());
            assertThat(part.texts()).hasSize(texts.size());
            for (int j = 0; j < texts.size(); j++) {
                assertThat(part.texts().get(j).weight())
                        .isEqualTo(texts.get(j).get(0).doubleValue());
                assertPieces(part.texts().get(j).pieces(), texts.get(j).get(1));
            }
        }
    }

    private static void assertPieces(List<WeightedText> pieces, JsonNode expected) {
        assertThat(pieces).extracting(WeightedText::text).containsExactlyElementsOf(texts(expected));
        for (int i = 0; i < pieces.size(); i++) {
            assertThat(pieces.get(i).weight()).isCloseTo(expected.get(i).get(1).doubleValue(), within(1e-12));
        }
    }

    private static List<String> texts(JsonNode pieces) {
        return Stream.iterate(0, i -> i < pieces.size(), i -> i + 1)
                .map(i -> pieces.get(i).get(0).textValue())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("states")
    void embeddingsAreCompels(JsonNode c) {
        Stages stages = stages(c.get("pipeline").textValue());
        Request request = Request.of(c.get("prompt").textValue())
                .promptSyntax(PromptSyntax.COMPEL)
                .guidanceScale(1)
                .size(64, 64);
        SafetensorsFile expected = SafetensorsFile.open(Fixtures.path("compel/states.safetensors"));
        String key = c.get("key").textValue();
        try (var scope = TensorScope.open()) {
            TextTimeline timeline =
                    stages.prompts().encode(request, Guidance.of(request)).conditioning();
            Tensor made = timeline.conditioning(0).embeddings().get(0);
            assertThat(made.size(1)).isEqualTo(c.get("length").longValue());
            Tensor some = made.slice(1, new LongOptional(c.get("from").longValue()), new LongOptional(), 3);
            assertThat(Fixtures.maxDifference(some, expected.load(key))).isLessThan(1e-5);
            if (expected.has(key + ".pooled")) {
                AddedConditioning added = timeline.conditioning(0).added().orElseThrow();
                assertThat(Fixtures.maxDifference(added.pooled(), expected.load(key + ".pooled")))
                        .isLessThan(1e-5);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void drawsWhatDiffusersDrawsOfCompelsEmbeddings(JsonNode c) throws IOException {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path(c.get("pipeline").textValue()).toString(), CPU)) {
            torch.manual_seed(c.get("global_seed").longValue());
            if (!c.get("tome").isNull()) {
                ToMe.applyPatch(pipeline, Fixtures.tomesdOptions(c.get("tome")));
            }
            Result result = pipeline.generate(PipelineParityTest.request(c).promptSyntax(PromptSyntax.COMPEL));
            for (int i = 0; i < c.get("images").size(); i++) {
                var expected = ImageIO.read(
                        Fixtures.path("compel/runs/" + c.get("images").get(i).textValue())
                                .toFile());
                assertThat(PipelineParityTest.mostChannelsDiffer(
                                result.images().get(i).toBufferedImage(), expected))
                        .isLessThanOrEqualTo(2);
            }
            assertThat(result.image().parameters()).contains("Prompt syntax: compel");
            assertThat(GenerationParameters.parse(result.image().parameters())
                            .request()
                            .promptSyntax())
                    .isEqualTo(PromptSyntax.COMPEL);
        }
    }

    @Test
    void encodingLeavesNothingBehind() {
        Stages stages = stages("tiny-sd1");
        Request request = Request.of("(\"a rusty++ robot\", \"(oil)0.5\").and(1, 0.5)")
                .promptSyntax(PromptSyntax.COMPEL)
                .size(64, 64);
        try (var scope = TensorScope.open()) {
            stages.prompts().encode(request, Guidance.of(request));
        }
        long before = TensorScope.liveObjects();
        try (var scope = TensorScope.open()) {
            stages.prompts().encode(request, Guidance.of(request));
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void wordsThatDoNotFitAreTold() {
        try (var scope = TensorScope.open()) {
            Request request = Request.of("(robot)1.2 " + "robot ".repeat(80) + "unseen")
                    .promptSyntax(PromptSyntax.COMPEL)
                    .size(64, 64);
            assertThat(stages("tiny-sd1")
                            .prompts()
                            .encode(request, Guidance.of(request))
                            .droppedWords()
                            .get(0))
                    .endsWith("unseen");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a cat.swap(dog)|.swap",
                "a cat withLora(x, 1)|withLora",
                "(\"a\", \"b\").and(1)|2 texts before .and and 1 weights",
                "(\"a\", \"b\").blend(1, x)|is no number",
                "(\"a\", \"b\").blend(1, -1)|sum up to 0",
                "(\"a\", \"b\").blend(1, 1) c|goes on behind .blend"
            })
    void whatCannotBeMeantIsAnError(String prompt, String message) {
        assertThatThrownBy(() -> CompelPrompt.parse(prompt))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining(message);
    }

    @Test
    void bracketsBeyondAllMeasureAreAnErrorAndManyAreFast() {
        assertThatThrownBy(() -> CompelPrompt.parse("(".repeat(5000) + "a" + ")".repeat(5000)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("brackets");
        assertThat(CompelPrompt.parse("(".repeat(60) + "a" + ")".repeat(60)).parts())
                .hasSize(1);
        assertThat(CompelPrompt.parse("(".repeat(60) + "a").parts()).hasSize(1);
    }
}
