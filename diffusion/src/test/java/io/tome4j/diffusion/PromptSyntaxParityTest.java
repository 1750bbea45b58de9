package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.diffusion.prompt.Emphasis;
import io.tome4j.diffusion.prompt.PromptChunk;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.diffusion.prompt.ScheduledText;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Chunks and weighted embeddings of prompts, compared with what Python computed: {@code reference/parts/prompt_syntax.py}. */
class PromptSyntaxParityTest {
    private static final double TOLERANCE = 1e-5;
    private static final Map<String, Stages> LOADED = new HashMap<>();

    static Stream<Arguments> texts() {
        List<Arguments> texts = new ArrayList<>();
        Fixtures.cases("prompts/texts.json")
                .forEach(row -> texts.add(Arguments.of(row.get("key").textValue(), row)));
        return texts.stream();
    }

    private static Stages stages(String pipeline) {
        return LOADED.computeIfAbsent(pipeline, name -> new StableDiffusion()
                .load(
                        CheckpointFolder.open(Fixtures.path(name)),
                        name,
                        new Placement(ComputeDevice.CPU, DType.FP32),
                        PipelineOptions.DEFAULT));
    }

    @AfterAll
    static void closeModels() {
        LOADED.values().forEach(Stages::close);
        LOADED.clear();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("texts")
    void chunksHaveTheTokensAndWeightsOfTheReference(String key, JsonNode row) {
        TextEncoder encoder = ((StableDiffusionPrompts)
                        stages(row.get("pipeline").textValue()).prompts())
                .encoder();
        var text = ComposedPrompts.Text.of(
                row.get("prompt").textValue(),
                new ScheduledText.Steps(row.get("steps").intValue(), 0));
        for (int time = 0; time < row.get("times").size(); time++) {
            String variant =
                    text.variants().get(text.numberAt(row.get("times").get(time).intValue()));
            assertThat(encoder.chunker(LearnedTokens.NONE).chunks(Emphasis.ORIGINAL.pieces(variant)))
                    .as("time %s", time)
                    .containsExactlyElementsOf(expected(row.get("chunks").get(time), encoder));
        }
    }

    private static List<PromptChunk> expected(JsonNode chunks, TextEncoder encoder) {
        List<PromptChunk> all = new ArrayList<>();
        for (JsonNode chunk : chunks) {
            PromptChunk empty = encoder.chunker(LearnedTokens.NONE).empty();
            long[] ids = empty.ids();
            float[] weights = empty.weights();
            JsonNode given = chunk.get("ids");
            for (int i = 0; i < ids.length; i++) {
                ids[i] = given.get(Math.min(i, given.size() - 1)).longValue();
            }
            Arrays.fill(weights, 1);
            chunk.get("weights")
                    .properties()
                    .forEach(entry -> weights[Integer.parseInt(entry.getKey())] =
                            entry.getValue().floatValue());
            all.add(PromptChunk.of(ids, weights));
        }
        return all;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("texts")
    void embeddingsAreThoseOfTheReference(String key, JsonNode row) {
        Stages stages = stages(row.get("pipeline").textValue());
        Request request = Request.of(row.get("prompt").textValue())
                .promptSyntax(PromptSyntax.A1111)
                .emphasis(Request.EMPHASIS.parse(row.get("emphasis").textValue()))
                .guidanceScale(1)
                .steps(row.get("steps").intValue());
        TokenGrid grid = stages.denoiser().nominalGrid();
        try (var scope = TensorScope.open()) {
            TextTimeline timeline = stages.prompts()
                    .encode(request.size(grid.width() * 8, grid.height() * 8), Guidance.of(request))
                    .conditioning();
            Tensor expected = SafetensorsFile.open(Fixtures.path("prompts/states.safetensors"))
                    .load(key); // [times, some of the positions, C]
            for (int time = 0; time < row.get("times").size(); time++) {
                int step = row.get("times").get(time).intValue();
                Tensor made = timeline.conditioning(timeline.spanAt(step))
                        .embeddings()
                        .get(0);
                Tensor some = made.slice(
                        1,
                        new LongOptional(row.get("from").longValue()),
                        new LongOptional(),
                        row.get("every").longValue());
                assertThat(Fixtures.maxDifference(some, Tensors.slice(expected, 0, time, time + 1L)))
                        .isLessThan(TOLERANCE);
            }
        }
    }
}
