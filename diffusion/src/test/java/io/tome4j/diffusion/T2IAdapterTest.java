package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Images steered by T2I-Adapters, compared with those of diffusers: {@code reference/parts/t2i_adapter.py}. */
class T2IAdapterTest {
    private static final String FOLDER = "t2i-adapter/";

    static Stream<Arguments> cases() {
        return Fixtures.cases(FOLDER + "cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    private static StableDiffusionPipeline pipeline(String name) {
        return StableDiffusionPipeline.fromPretrained(
                Fixtures.path(name).toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    private static T2IAdapter adapter(String name, String image) {
        return T2IAdapter.of(Fixtures.path(FOLDER + name).toString(), Fixtures.path(FOLDER + image));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageThatTheReferenceDraws(String name, JsonNode c) throws IOException {
        List<T2IAdapter> adapters = new ArrayList<>();
        for (JsonNode one : c.get("adapters")) {
            adapters.add(
                    adapter(one.get("adapter").textValue(), one.get("image").textValue())
                            .scale(one.get("scale").doubleValue())
                            .factor(c.get("factor").doubleValue()));
        }
        Request request = Request.of(c.get("prompt").textValue())
                .guidanceScale(c.get("guidance_scale").doubleValue())
                .steps(c.get("steps").intValue())
                .scheduler(c.get("scheduler").textValue())
                .seed(c.get("seed").longValue())
                .size(c.get("width").intValue(), c.get("height").intValue())
                .imagesPerPrompt(c.get("images_per_prompt").intValue())
                .t2iAdapters(adapters);
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

    private static Request request(T2IAdapter... adapters) {
        return Request.of("a rusty robot")
                .seed(3)
                .steps(3)
                .scheduler("euler")
                .size(64, 64)
                .t2iAdapters(adapters);
    }

    private static double difference(StableDiffusionPipeline pipeline, Request a, Request b) {
        return Fixtures.maxDifference(
                pipeline.generate(a).latents().tensor(),
                pipeline.generate(b).latents().tensor());
    }

    @Test
    void anAdapterWithoutStepsOrScaleChangesNothing() {
        try (var pipeline = pipeline("tiny-sd1")) {
            T2IAdapter full = adapter("full", "colours.png");
            assertThat(difference(pipeline, request(), request(full))).isGreaterThan(0.01);
            assertThat(difference(pipeline, request(), request(full.scale(0)))).isLessThan(1e-6);
            assertThat(difference(pipeline, request(), request(full.factor(0.3))))
                    .isZero();
            assertThat(difference(pipeline, request(full), request(full.factor(0.4))))
                    .isGreaterThan(0.001);
        }
    }

    @Test
    void aFileIsTheSameAsItsFolder() {
        String file = Fixtures.path(FOLDER + "full/diffusion_pytorch_model.safetensors")
                .toString();
        try (var pipeline = pipeline("tiny-sd1")) {
            T2IAdapter alone = T2IAdapter.of(file, Fixtures.path(FOLDER + "colours.png"));
            assertThat(difference(pipeline, request(adapter("full", "colours.png")), request(alone)))
                    .isZero();
        }
    }

    @Test
    void theMemoryOfALoadedAdapterIsForeseen() {
        try (var pipeline = pipeline("tiny-sd1")) {
            Request request = request(adapter("full", "colours.png")).steps(1);
            MemoryEstimate before = pipeline.memoryEstimate(request);
            pipeline.generate(request);
            MemoryEstimate after = pipeline.memoryEstimate(request);
            assertThat(after.weights()).isGreaterThan(before.weights());
            long features = 4 * (16 * (8 * 8 + 4 * 4 + 2 * 2) + 24); // as wide as the levels, of 64 x 64 pixels
            assertThat(after.denoising() - before.denoising()).isEqualTo(features);
        }
    }

    @Test
    void everythingTogetherRunsAndLeavesNothingBehind() {
        try (var pipeline = pipeline("tiny-sd1")) {
            Control control =
                    Control.of(Fixtures.path("controlnet/sd1").toString(), Fixtures.path("controlnet/lines.png"));
            Request request = request(adapter("full", "colours.png").factor(0.7), adapter("grey", "grey.png"))
                    .controls(control.scale(0.5))
                    .guidanceInterval(0.3, 1)
                    .reuseEvery(2)
                    .hires(2)
                    .imagesPerPrompt(2)
                    .merging(ToMeOptions.ratio(0.5));
            pipeline.generate(request);
            long before = TensorScope.liveObjects();
            assertThat(pipeline.generate(request).images()).hasSize(2);
            assertThat(TensorScope.liveObjects()).isLessThanOrEqualTo(before + 1);
        }
    }

    @Test
    void whatDoesNotFitIsSaidBeforeAnythingRuns() {
        try (var pipeline = pipeline("tiny-sd1")) {
            assertThatThrownBy(() -> pipeline.generate(request(adapter("xl", "colours.png"))))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("does not fit the model");
            assertThatThrownBy(() -> pipeline.generate(request(adapter("grey", "colours.png"))))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("t2i_image has colours");
            assertThat(difference(
                            pipeline,
                            request(adapter("grey", "grey.png")),
                            request(adapter("grey", "grey-as-rgb.png"))))
                    .as("a grey image that was saved in colours")
                    .isZero();
        }
        try (var pipeline = pipeline("tiny-sdxl")) {
            assertThatThrownBy(() -> pipeline.generate(
                            request(adapter("xl", "colours.png")).size(72, 64)))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("multiples of 16");
        }
    }

    @Test
    void parametersNameTheAdapterAndItsImageAndAreReadBack() {
        Request request = request(adapter("full", "colours.png").scale(0.7).factor(0.5), adapter("grey", "grey.png"));
        GenerationParameters parameters = GenerationParameters.of(request);
        assertThat(parameters.toText())
                .contains("T2I-Adapter 0: \"Model: ")
                .contains("Weight: 0.7, Factor: 0.5, Image: colours.png [");
        GenerationParameters read = GenerationParameters.parse(parameters.toText());
        assertThat(read).isEqualTo(parameters);
        assertThat(read.repeated(Fixtures.path("t2i-adapter")).t2iAdapters()).isEqualTo(request.t2iAdapters());
        assertThatThrownBy(() -> read.repeated(Fixtures.path("img2img")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'colours.png' is not in");
        try (var pipeline = pipeline("tiny-sd1")) {
            assertThatThrownBy(() -> pipeline.generate(read.request()))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("t2i_image is missing");
            Pixels image = request.t2iAdapters().get(0).image().orElseThrow();
            Request again = read.request()
                    .t2iAdapters(read.request().t2iAdapters().get(0).withImage(image));
            assertThat(difference(pipeline, request(request.t2iAdapters().get(0)), again))
                    .isZero();
        }
    }

    @Test
    void scalesAndSharesOutOfRangeAreSaid() {
        T2IAdapter full = adapter("full", "colours.png");
        assertThatThrownBy(() -> full.scale(Double.NaN)).hasMessageContaining("t2i_scale");
        assertThatThrownBy(() -> full.factor(1.5)).hasMessageContaining("t2i_factor");
    }
}
