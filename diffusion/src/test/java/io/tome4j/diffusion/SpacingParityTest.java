package io.tome4j.diffusion;

import static io.tome4j.diffusion.PipelineParityTest.mostChannelsDiffer;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Images of runs whose steps the request spaces, or lists: see {@code reference/parts/spacing.py}. */
class SpacingParityTest {
    private static final Path FIXTURES = Fixtures.path("spacing");
    private static final int TOLERANCE = 2; // of 255
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);

    static Stream<Case> cases() throws IOException {
        JsonNode all =
                new ObjectMapper().readTree(FIXTURES.resolve("cases.json").toFile());
        return StreamSupport.stream(all.get("cases").spliterator(), false).map(node -> new Case(node, all));
    }

    record Case(JsonNode node, JsonNode all) {
        Request request() {
            int size = all.get("size").intValue();
            Request request = Request.of(all.get("prompt").textValue())
                    .negativePrompt(all.get("negative_prompt").textValue())
                    .seed(node.get("seed").longValue())
                    .guidanceScale(node.path("guidance_scale")
                            .asDouble(all.get("guidance_scale").doubleValue()))
                    .scheduler(node.get("scheduler").textValue())
                    .steps(node.get("steps").intValue())
                    .withText(Request.SCHEDULE_TYPE, node.path("schedule_type").asText("auto"))
                    .withText(
                            Request.TIMESTEP_SPACING,
                            node.path("timestep_spacing").asText("auto"))
                    .withText(Request.TIMESTEPS, list("timesteps"))
                    .withText(Request.SIGMAS, list("sigmas"));
            if (node.has("tome")) {
                request = request.merging(Fixtures.tomesdOptions(node.get("tome")));
            }
            return node.has("strength")
                    ? request.start(Start.from(
                            SourceImage.read(FIXTURES.resolve("initial.png")),
                            node.get("strength").doubleValue()))
                    : request.size(size, size);
        }

        private String list(String key) {
            List<String> values = new ArrayList<>();
            node.path(key).forEach(value -> values.add(value.asText()));
            return String.join(",", values);
        }

        @Override
        public String toString() {
            return node.get("name").textValue();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void imageIsTheReferences(Case one) throws IOException {
        String folder = Fixtures.path(one.node().get("model").textValue()).toString();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(folder, CPU_FP32)) {
            Image image = pipeline.generate(one.request()).image();
            var expected = ImageIO.read(FIXTURES.resolve(one + ".png").toFile());
            assertThat(mostChannelsDiffer(image.toBufferedImage(), expected)).isLessThanOrEqualTo(TOLERANCE);

            Request read = GenerationParameters.parse(image.parameters()).request();
            assertThat(new SamplerNames(read.scheduler(), read.scheduleType()))
                    .isEqualTo(new SamplerNames(
                                    one.request().scheduler(), one.request().scheduleType())
                            .canonical());
            assertThat(read.steps()).isEqualTo(one.request().steps());
            assertThat(read.timesteps()).isEqualTo(one.request().timesteps());
            assertThat(read.sigmas()).isEqualTo(one.request().sigmas());
            assertThat(read.timestepSpacing()).isEqualTo(one.request().timestepSpacing());
        }
    }
}
