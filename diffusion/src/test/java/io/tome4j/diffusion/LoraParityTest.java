package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.TensorScope;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Images with LoRAs, compared with those of diffusers and PEFT, and, for the kinds that these do not read, of weights merged
 * by lycoris_lora: see {@code reference/parts/lora.py}. One pipeline makes them all: so the weights change each time.
 */
class LoraParityTest {
    private static final int TOLERANCE = 2; // of 255
    private static final Request REQUEST = Request.of("a rusty robot's portrait, oil on canvas")
            .scheduler("euler")
            .seed(5)
            .steps(4)
            .guidanceScale(5)
            .size(96, 96)
            .merging(ToMeOptions.NONE);

    private static StableDiffusionPipeline pipeline;

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    static Stream<String> spellings() {
        return Fixtures.cases("lora/cases.json").stream().map(c -> c.get("file").textValue());
    }

    private static Lora lora(String name) {
        return Lora.of(Fixtures.path("lora/" + name + ".safetensors"));
    }

    private static int differenceTo(String image, Result result) {
        try {
            BufferedImage expected =
                    ImageIO.read(Fixtures.path("lora/" + image + ".png").toFile());
            return PipelineParityTest.mostChannelsDiffer(result.image().toBufferedImage(), expected);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("spellings")
    void everySpellingGivesTheSameImage(String file) {
        Result result = pipeline.generate(REQUEST.loras(lora(file)));
        assertThat(result.warnings()).isEmpty();
        assertThat(differenceTo("full", result)).isLessThanOrEqualTo(TOLERANCE);
        assertThat(differenceTo("plain", result)).isGreaterThan(20);
    }

    @Test
    void kohyasNamesGiveTheImageOfDiffusers() {
        assertThat(differenceTo("one-alpha", pipeline.generate(REQUEST.loras(lora("kohya-one-alpha")))))
                .isLessThanOrEqualTo(TOLERANCE);
    }

    @Test
    void weightsOfUNetAndTextAreApart() {
        assertThat(differenceTo(
                        "weaker",
                        pipeline.generate(REQUEST.loras(lora("kohya-ldm").weight(0.6)))))
                .isLessThanOrEqualTo(TOLERANCE);
        assertThat(differenceTo(
                        "apart",
                        pipeline.generate(REQUEST.loras(lora("old").weight(0.8).textWeight(0.3)))))
                .isLessThanOrEqualTo(TOLERANCE);
    }

    @Test
    void halvesAddUpToTheWhole() {
        assertThat(differenceTo(
                        "full",
                        pipeline.generate(REQUEST.loras(
                                lora("kohya").weight(0.75),
                                lora("peft-metadata").weight(0.25)))))
                .isLessThanOrEqualTo(TOLERANCE);
    }

    @ParameterizedTest
    @CsvSource({"lycoris, 1", "lycoris-weaker, 0.7"})
    void theKindsOfLycorisGiveTheImageOfTheirMergedWeights(String image, double weight) {
        assertThat(differenceTo(
                        image, pipeline.generate(REQUEST.loras(lora("lycoris").weight(weight)))))
                .isLessThanOrEqualTo(TOLERANCE);
    }

    @Test
    void whatIsTakenAwayLeavesNoTrace() {
        float[] before = pipeline.generate(REQUEST).latents().values();
        pipeline.generate(REQUEST.loras(lora("kohya"), lora("lycoris").weight(1.3)));
        assertThat(pipeline.generate(REQUEST).latents().values()).isEqualTo(before);
        assertThat(differenceTo("plain", pipeline.generate(REQUEST))).isLessThanOrEqualTo(TOLERANCE);
    }

    @Test
    void whatTheModelIsPatchedWithStays() {
        ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5));
        try {
            Request unsaid = Request.of("a cat").seed(3).steps(2).size(96, 96).loras(lora("kohya"));
            Result result = pipeline.generate(unsaid);
            assertThat(result.merging().merges()).isTrue();
            assertThat(pipeline.generate(unsaid.merging(ToMeOptions.ratio(0.5)))
                            .latents()
                            .values())
                    .isEqualTo(result.latents().values());
        } finally {
            ToMe.removePatch(pipeline);
        }
    }

    @Test
    void aRunWithinARunLeavesTheOuterItsLoras() {
        Request outer = REQUEST.loras(lora("kohya"));
        float[] alone = pipeline.generate(outer).latents().values();
        Result result = pipeline.generate(outer, progress -> {
            if (progress.done() == 2) {
                pipeline.generate(REQUEST.steps(1).loras(lora("lycoris")));
            }
            return true;
        });
        assertThat(result.latents().values()).isEqualTo(alone);
    }

    @Test
    void swappingLeaksNothing() {
        Request one = REQUEST.steps(1).size(64, 64).loras(lora("kohya"));
        Request other = REQUEST.steps(1).size(64, 64).loras(lora("lycoris"));
        pipeline.generate(one);
        pipeline.generate(other);
        long before = TensorScope.liveObjects();
        for (int i = 0; i < 3; i++) {
            pipeline.generate(one);
            pipeline.generate(other);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void imagesSayWhatTheyWereMadeWithAndAreMadeAgain() {
        Result result = pipeline.generate(REQUEST.loras(
                lora("kohya").weight(0.8).textWeight(0.5), lora("lycoris").weight(0.4)));
        GenerationParameters read = GenerationParameters.parse(result.image().parameters());
        assertThat(result.image().parameters())
                .startsWith("a rusty robot's portrait, oil on canvas <lora:kohya:0.5:0.8> <lora:lycoris:0.4>\n")
                .containsPattern("Lora hashes: \"kohya: [0-9a-f]{12}, lycoris: [0-9a-f]{12}\"");
        assertThat(read.prompt()).isEqualTo(REQUEST.prompts().get(0));
        assertThat(read.request().loras()).extracting(Lora::name).isEqualTo(List.of("kohya", "lycoris"));
        Request again = LoraFolder.of(Fixtures.path("lora")).resolve(read.request());
        assertThat(pipeline.generate(again).latents().values())
                .isEqualTo(result.latents().values());
    }
}
