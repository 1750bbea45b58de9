package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole images, compared with those of {@code diffusers}, {@code tomesd} and {@code DeepCache}: see {@code reference/}. The
 * cases of {@code reuse/} differ from those without reuse, and with guidance in all steps, by 3 of 255 and more.
 */
class PipelineParityTest {
    static Stream<Arguments> cases() {
        return Stream.of("images/", "reuse/", "prompts/runs/")
                .flatMap(folder -> Fixtures.cases(folder + "cases.json").stream()
                        .map(c -> Arguments.of(folder + c.get("name").textValue(), c)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageThatTheReferenceDraws(String path, JsonNode c, @TempDir Path folder) throws IOException {
        String part = path.substring(0, path.lastIndexOf('/') + 1);
        PipelineOptions options =
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                withSchedulerSettings(c, folder).toString(), options)) {
            ReferenceRun.prepare(pipeline, c);
            Request request = request(c);
            Result result =
                    pipeline.generate(part.startsWith("prompts/") ? request.promptSyntax(PromptSyntax.A1111) : request);
            ReferenceRun.requireSameLatents(result, c, part);
            ReferenceRun.requireSameImages(result, c, part);
        }
    }

    /** The case's pipeline, or a copy of it whose scheduler's file has other settings. */
    static Path withSchedulerSettings(JsonNode c, Path folder) throws IOException {
        String pipeline = c.get("pipeline").textValue();
        if (c.get("scheduler_settings").isEmpty()) {
            return Fixtures.path(pipeline);
        }
        Fixtures.copy(pipeline, folder, file -> true);
        addSchedulerSettings(c, folder);
        return folder;
    }

    /** Changes the scheduler's file of a copy. */
    static void addSchedulerSettings(JsonNode c, Path folder) throws IOException {
        File file = folder.resolve("scheduler/scheduler_config.json").toFile();
        ObjectMapper json = new ObjectMapper();
        ObjectNode config = (ObjectNode) json.readTree(file);
        config.setAll((ObjectNode) c.get("scheduler_settings"));
        json.writeValue(file, config);
    }

    static Request request(JsonNode c) {
        List<String> prompts = new ArrayList<>();
        c.get("prompts").forEach(prompt -> prompts.add(prompt.textValue()));
        Request request = Request.of(prompts.toArray(String[]::new))
                .negativePrompt(c.get("negative_prompt").textValue())
                .guidanceScale(c.get("guidance_scale").doubleValue())
                .steps(c.get("steps").intValue())
                .scheduler(c.get("scheduler").textValue())
                .seed(c.get("seed").longValue())
                .size(c.get("width").intValue(), c.get("height").intValue())
                .imagesPerPrompt(c.get("images_per_prompt").intValue());
        return c.has("every") ? reusing(request, c) : request;
    }

    private static Request reusing(Request request, JsonNode c) {
        Request reusing = request.reuseEvery(c.get("every").intValue())
                .reuseBranch(c.get("branch").intValue())
                .guidanceInterval(
                        c.get("guidance_from").doubleValue(),
                        c.get("guidance_to").doubleValue());
        return c.get("center").isNull()
                ? reusing
                : reusing.reuseSchedule(ReuseSchedule.Spacing.NONUNIFORM)
                        .reuseCenter(
                                c.get("center").doubleValue() / c.get("calls").doubleValue())
                        .reusePower(c.get("power").doubleValue());
    }

    static int mostChannelsDiffer(BufferedImage a, BufferedImage b) {
        assertThat(a.getWidth()).isEqualTo(b.getWidth());
        assertThat(a.getHeight()).isEqualTo(b.getHeight());
        int most = 0;
        for (int y = 0; y < a.getHeight(); y++) {
            for (int x = 0; x < a.getWidth(); x++) {
                for (int shift = 0; shift <= 16; shift += 8) {
                    int difference = (a.getRGB(x, y) >> shift & 255) - (b.getRGB(x, y) >> shift & 255);
                    most = Math.max(most, Math.abs(difference));
                }
            }
        }
        return most;
    }
}
