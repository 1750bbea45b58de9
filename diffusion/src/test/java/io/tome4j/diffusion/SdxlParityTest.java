package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole images of SDXL's base model and refiner, compared with those of {@code diffusers} and {@code tomesd}. */
class SdxlParityTest {
    static Stream<Arguments> cases() {
        return Fixtures.cases("sdxl/cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageThatTheReferenceDraws(String name, JsonNode c, @TempDir Path folder) throws IOException {
        PipelineOptions options =
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
        if (!c.get("refiner_start").isNull()) {
            options = options.refiner(Fixtures.path("tiny-sdxl-refiner").toString());
        }
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                withSchedulerSettings(c, folder).toString(), options)) {
            ReferenceRun.prepare(pipeline, c);
            Result result = pipeline.generate(request(c));
            ReferenceRun.requireSameLatents(result, c, "sdxl/");
            ReferenceRun.requireSameImages(result, c, "sdxl/");
            GenerationParameters read =
                    GenerationParameters.parse(result.image().parameters());
            assertThat(read.request())
                    .isEqualTo(GenerationParameters.of(result.request()
                                    .scheduler(c.get("scheduler").textValue()))
                            .request());
        }
    }

    /** The case's pipeline, or a copy of it whose scheduler's file has other settings. */
    static Path withSchedulerSettings(JsonNode c, Path folder) throws IOException {
        String pipeline = c.get("model").textValue();
        if (c.get("scheduler_settings").isEmpty()) {
            return Fixtures.path(pipeline);
        }
        Fixtures.copy(pipeline, folder, file -> true);
        File file = folder.resolve("scheduler/scheduler_config.json").toFile();
        ObjectMapper json = new ObjectMapper();
        ObjectNode config = (ObjectNode) json.readTree(file);
        config.setAll((ObjectNode) c.get("scheduler_settings"));
        json.writeValue(file, config);
        return folder;
    }

    /** What a case asks for. */
    static Request request(JsonNode c) {
        Request request = withOptions(c, Request.of(prompts(c)))
                .guidanceScale(c.get("guidance_scale").doubleValue())
                .steps(c.get("steps").intValue())
                .scheduler(c.get("scheduler").textValue())
                .seed(c.get("seed").longValue())
                .size(c.get("width").intValue(), c.get("height").intValue())
                .imagesPerPrompt(c.get("images_per_prompt").intValue());
        if (!c.get("negative_prompt").isNull()) {
            request = request.negativePrompt(c.get("negative_prompt").textValue());
        }
        if (!c.get("refiner_start").isNull()) {
            request = request.refinerStart(c.get("refiner_start").doubleValue());
        }
        return request;
    }

    static String[] prompts(JsonNode c) {
        List<String> prompts = new ArrayList<>();
        c.get("prompts").forEach(prompt -> prompts.add(prompt.textValue()));
        return prompts.toArray(String[]::new);
    }

    /** With what else the call was told. */
    static Request withOptions(JsonNode c, Request asked) {
        Request request = asked;
        for (Iterator<Map.Entry<String, JsonNode>> each = c.get("options").fields(); each.hasNext(); ) {
            var entry = each.next();
            var option = Request.OPTIONS.stream()
                    .filter(known -> known.name().equals(entry.getKey()))
                    .findFirst()
                    .orElseThrow();
            request = request.withText(option, text(entry.getKey(), entry.getValue()));
        }
        return request;
    }

    /** Sizes are height and width there. */
    private static String text(String name, JsonNode value) {
        if (!value.isArray()) {
            return value.asText();
        }
        return name.contains("crops")
                ? value.get(0).asInt() + "," + value.get(1).asInt()
                : value.get(1).asInt() + "x" + value.get(0).asInt();
    }
}
