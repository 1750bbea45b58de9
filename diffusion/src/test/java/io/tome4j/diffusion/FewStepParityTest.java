package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Images of few-step models, with clip skip and of rarer schedulers: see {@code reference/parts/few_steps.py}. */
class FewStepParityTest {
    private static final Path FIXTURES = Fixtures.path("few-steps");
    private static final int TOLERANCE = 2; // of 255
    private static final String WHOLE = "diffusion_pytorch_model.safetensors";
    private static final String SHARD = "diffusion_pytorch_model-00001-of-00002.safetensors";
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);

    @TempDir
    static Path work;

    /** Puts tiny-sd1 and what the LCM checkpoint has of its own into one folder. */
    @BeforeAll
    static void makeLcm() throws IOException {
        Path lcm = work.resolve("lcm");
        copy(Fixtures.path("tiny-sd1"), lcm);
        Files.move(lcm.resolve("unet").resolve(WHOLE), lcm.resolve("unet").resolve(SHARD));
        copy(FIXTURES.resolve("lcm"), lcm);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static StableDiffusionPipeline pipeline(String model) {
        Path folder = model.equals("lcm") ? work.resolve("lcm") : Fixtures.path(model);
        return StableDiffusionPipeline.fromPretrained(folder.toString(), CPU_FP32);
    }

    static Stream<Case> cases() throws IOException {
        JsonNode all =
                new ObjectMapper().readTree(FIXTURES.resolve("cases.json").toFile());
        return StreamSupport.stream(all.get("cases").spliterator(), false).map(node -> new Case(node, all));
    }

    record Case(JsonNode node, JsonNode all) {
        Request request() {
            Request request = Request.of(all.get("prompt").textValue())
                    .size(all.get("width").intValue(), all.get("height").intValue())
                    .negativePrompt(node.path("negative_prompt").asText(""))
                    .steps(node.get("steps").intValue())
                    .seed(node.get("seed").longValue())
                    .guidanceScale(node.path("guidance_scale").asDouble(7.5))
                    .imagesPerPrompt(node.path("images").asInt(1))
                    .eta(node.path("eta").asDouble(0))
                    .clipSkip(node.path("clip_skip").asInt(0));
            JsonNode tome = node.path("tome");
            if (!tome.isMissingNode()) {
                request = request.merging(ToMeOptions.ratio(tome.get("ratio").doubleValue())
                        .mode(ToMeOptions.Mode.TOMESD)
                        .useRand(tome.get("use_rand").booleanValue())
                        .maxDownsample(tome.path("max_downsample").asInt(1)));
            }
            return node.has("scheduler")
                    ? request.scheduler(node.get("scheduler").textValue())
                    : request;
        }

        @Override
        public String toString() {
            return node.get("name").textValue();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void imageIsTheReferences(Case one) throws IOException {
        try (var pipeline = pipeline(one.node().get("model").textValue())) {
            List<Image> images = pipeline.generate(one.request()).images();
            assertThat(images).hasSize(one.request().images());
            for (int i = 0; i < images.size(); i++) {
                BufferedImage expected =
                        ImageIO.read(FIXTURES.resolve(one + "-" + i + ".png").toFile());
                assertThat(greatestDifference(images.get(i).toBufferedImage(), expected))
                        .isLessThanOrEqualTo(TOLERANCE);
            }
        }
    }

    @Test
    void aModelThatIsToldTheGuidanceScaleHasNoUseForTheNegativePrompt() {
        try (var pipeline = pipeline("lcm")) {
            Request request = Request.of("a cat").seed(1).steps(2).size(64, 64).guidanceScale(3);
            BufferedImage plain = pipeline.generate(request).image().toBufferedImage();
            BufferedImage negative =
                    pipeline.generate(request.negativePrompt("blurry")).image().toBufferedImage();
            assertThat(greatestDifference(plain, negative)).isZero();
            BufferedImage stronger =
                    pipeline.generate(request.guidanceScale(9)).image().toBufferedImage();
            assertThat(greatestDifference(plain, stronger)).isPositive();
            assertThat(pipeline.memoryEstimate(request)).isEqualTo(pipeline.memoryEstimate(request.guidanceScale(1)));
        }
    }

    @Test
    void moreLayersThanThereAreCannotBeLeftOut() {
        try (var pipeline = pipeline("tiny-sd1")) {
            Request request = Request.of("a cat").seed(1).steps(1).size(64, 64);
            assertThatThrownBy(() -> pipeline.generate(request.clipSkip(3)))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("clip_skip is 3")
                    .hasMessageContaining("only 2 layers");
        }
    }

    @Test
    void clipSkipIsWrittenAsTheWebUiCounts() {
        String text = GenerationParameters.of(
                        Request.of("a cat").seed(1).clipSkip(1).eta(0.5))
                .toText();
        assertThat(text).contains("Clip skip: 2").contains("Eta: 0.5");
        Request read = GenerationParameters.parse(text).request();
        assertThat(read.clipSkip()).isEqualTo(1);
        assertThat(read.eta()).isEqualTo(0.5);
        String webUi = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Clip skip: 1";
        assertThat(GenerationParameters.parse(webUi).request().clipSkip()).isZero();
    }

    private static int greatestDifference(BufferedImage a, BufferedImage b) {
        int most = 0;
        for (int y = 0; y < b.getHeight(); y++) {
            for (int x = 0; x < b.getWidth(); x++) {
                for (int shift = 0; shift < 24; shift += 8) {
                    most = Math.max(most, Math.abs((a.getRGB(x, y) >> shift & 255) - (b.getRGB(x, y) >> shift & 255)));
                }
            }
        }
        return most;
    }
}
