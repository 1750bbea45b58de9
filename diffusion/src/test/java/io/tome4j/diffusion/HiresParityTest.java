package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs of two passes, compared with diffusers' pipelines one after the other: see {@code reference/parts/hires.py}. */
class HiresParityTest {
    private static final PipelineOptions CPU =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final Request REQUEST = Request.of("a robot")
            .seed(3)
            .steps(3)
            .size(64, 48)
            .scheduler("euler_a")
            .hires(1.5)
            .hiresSteps(2)
            .merging(ToMeOptions.NONE);

    static List<JsonNode> cases() {
        return Fixtures.cases("hires/cases.json");
    }

    private static StableDiffusionPipeline pipeline(String name) {
        return StableDiffusionPipeline.fromPretrained(Fixtures.path(name).toString(), CPU);
    }

    /** Its name, or the file of a network of {@code reference/parts/upscalers.py}. */
    private static String upscaler(JsonNode c) {
        String name = c.get("upscaler").textValue();
        Path network = Fixtures.path("upscalers/" + name + ".safetensors");
        return Files.exists(network) ? network.toString() : name;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void drawsWhatTheReferenceDrawsInTwoPasses(JsonNode c) throws IOException {
        try (var pipeline = pipeline(c.get("pipeline").textValue())) {
            ReferenceRun.prepare(pipeline, c);
            Request request = PipelineParityTest.request(c)
                    .hires(c.get("factor").doubleValue())
                    .withText(Request.HIRES_UPSCALER, upscaler(c))
                    .hiresSteps(c.get("hires_steps").intValue())
                    .hiresStrength(c.get("hires_strength").doubleValue())
                    .hiresRatio(c.get("hires_ratio").asDouble(-1));
            Result result = pipeline.generate(request);
            ReferenceRun.requireSameLatents(result, c, "hires/");
            ReferenceRun.requireSameImages(result, c, "hires/");
        }
    }

    @Test
    void bothPassesAreStepsOfOneRunAndInTheParameters() {
        try (var pipeline = pipeline("tiny-sd2")) {
            List<String> steps = new ArrayList<>();
            Result result = pipeline.generate(
                    REQUEST.hiresUpscaler(Upscaler.LATENT_BICUBIC),
                    progress -> steps.add(progress.done() + "/" + progress.total()));
            assertThat(steps).containsExactly("1/5", "2/5", "3/5", "4/5", "5/5");
            assertThat(result.timings().steps()).hasSize(5);
            assertThat(result.image().width()).isEqualTo(96);
            assertThat(result.request().width()).isEqualTo(64);
            String text = result.image().parameters();
            assertThat(text)
                    .contains("Size: 64x48")
                    .contains(
                            "Hires upscale: 1.5, Hires upscaler: Latent (bicubic), Hires steps: 2, Denoising strength:"
                                    + " 0.7");
            GenerationParameters parsed = GenerationParameters.parse(text);
            assertThat(parsed.toText()).isEqualTo(text);
            assertThat(pipeline.generate(parsed.request()).latents().values())
                    .isEqualTo(result.latents().values());
        }
    }

    @Test
    void theSecondPassMergesAsItIsTold() {
        try (var pipeline = pipeline("tiny-sd2")) {
            Result merged = pipeline.generate(REQUEST.hiresRatio(0.5));
            assertThat(merged.merging().merges()).isTrue();
            assertThat(merged.image().parameters()).contains("Token merging ratio hr: 0.5");
            assertThat(GenerationParameters.parse(merged.image().parameters())
                            .request()
                            .hiresRatio())
                    .isEqualTo(0.5);
            assertThat(merged.latents().values())
                    .isNotEqualTo(pipeline.generate(REQUEST).latents().values());
        }
    }

    @Test
    void anImageMayBeBegunWithAndBothStrengthsReadBack() {
        try (var pipeline = pipeline("tiny-sd2")) {
            SourceImage photo = SourceImage.read(Fixtures.path("img2img/source.png"));
            Request request = REQUEST.start(Start.from(photo, 0.9)).hiresStrength(0.5);
            String text = pipeline.generate(request).image().parameters();
            Request parsed = GenerationParameters.parse(text).request();
            assertThat(parsed.strength()).isEqualTo(0.9);
            assertThat(parsed.hiresStrength()).isEqualTo(0.5);
            assertThatThrownBy(() -> request.start(Start.from(photo).repainting(photo)))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("mask");
        }
    }
}
