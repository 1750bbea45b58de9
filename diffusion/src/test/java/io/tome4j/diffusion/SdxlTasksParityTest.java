package io.tome4j.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** SDXL from an image, repainted and steered, compared with diffusers: {@code reference/parts/sdxl_tasks.py}. */
class SdxlTasksParityTest {
    private static final String FOLDER = "sdxl-tasks/";

    static Stream<Arguments> cases() {
        return Fixtures.cases(FOLDER + "cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageThatTheReferenceDraws(String name, JsonNode c, @TempDir Path folder) throws IOException {
        PipelineOptions options =
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
        try (var pipeline =
                StableDiffusionPipeline.fromPretrained(checkpoint(c, folder).toString(), options)) {
            ReferenceRun.prepare(pipeline, c);
            Result result = pipeline.generate(request(c));
            ReferenceRun.requireSameLatents(result, c, FOLDER);
            ReferenceRun.requireSameImages(result, c, FOLDER);
        }
    }

    private static boolean isStableDiffusion1(JsonNode c) {
        return c.get("model").textValue().matches("tiny-sd[12]");
    }

    private static boolean isForInpainting(JsonNode c) {
        return c.get("model").textValue().contains(" ");
    }

    /** The case's checkpoint: one with other settings of its scheduler, or with the UNet for inpainting, is made of parts. */
    private static Path checkpoint(JsonNode c, Path folder) throws IOException {
        if (isForInpainting(c)) {
            Fixtures.copy(
                    "tiny-sdxl",
                    folder,
                    file -> !file.startsWith("unet") && !file.toString().equals("model_index.json"));
            Fixtures.copy(FOLDER, folder, file -> file.startsWith("unet") || file.endsWith("model_index.json"));
            return folder;
        }
        return SdxlParityTest.withSchedulerSettings(c, folder);
    }

    private static Request request(JsonNode c) {
        Request request = SdxlParityTest.withOptions(c, Request.of(SdxlParityTest.prompts(c)))
                .steps(c.get("steps").intValue())
                .scheduler(c.get("scheduler").textValue())
                .seed(c.get("seed").longValue())
                .imagesPerPrompt(c.get("images_per_prompt").intValue())
                .guessMode(c.get("guess_mode").booleanValue())
                .controls(controls(c));
        if (!c.get("negative_prompt").isNull()) {
            request = request.negativePrompt(c.get("negative_prompt").textValue());
        }
        if (!c.get("guidance_scale").isNull()) {
            request = request.guidanceScale(c.get("guidance_scale").doubleValue());
        }
        boolean bySize = c.get("mask").booleanValue()
                || c.get("resized").booleanValue()
                || !c.get("controls").isEmpty();
        if (bySize) {
            request = request.size(c.get("width").intValue(), c.get("height").intValue());
        }
        if (!c.get("image").booleanValue()) {
            return request;
        }
        return request.start(start(c))
                .pasteBack(false)
                .maskBlur(c.get("blur").doubleValue())
                .paddingMaskCrop(
                        c.get("padding").isNull() ? -1 : c.get("padding").intValue());
    }

    private static Start start(JsonNode c) {
        ImageStart start = Start.from(SourceImage.read(Fixtures.path(FOLDER + "source.png")));
        if (!c.get("strength").isNull()) {
            start = start.withStrength(c.get("strength").doubleValue());
        }
        return c.get("mask").booleanValue()
                ? start.repainting(SourceImage.read(Fixtures.path(FOLDER + "mask.png")))
                : start;
    }

    private static List<Control> controls(JsonNode c) {
        List<Control> controls = new ArrayList<>();
        for (JsonNode one : c.get("controls")) {
            String net = isStableDiffusion1(c)
                    ? "controlnet/" + one.get("net").textValue()
                    : FOLDER + one.get("net").textValue();
            controls.add(Control.of(
                            Fixtures.path(net).toString(),
                            Fixtures.path(FOLDER + one.get("image").textValue()))
                    .scale(one.get("scale").doubleValue())
                    .between(one.get("start").doubleValue(), one.get("end").doubleValue()));
        }
        return controls;
    }
}
