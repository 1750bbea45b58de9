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
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** A LoRA that makes an ordinary model one of few steps: see {@code reference/parts/lcm_lora.py}. */
class LcmLoraTest {
    private static final Path FIXTURES = Fixtures.path("lcm-lora");
    private static final int TOLERANCE = 2; // of 255

    @Test
    void imagesAreTheReferences() throws IOException {
        JsonNode all =
                new ObjectMapper().readTree(FIXTURES.resolve("cases.json").toFile());
        Lora lora = Lora.of(FIXTURES.resolve(all.get("file").asText()));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32))) {
            for (JsonNode one : all.get("cases")) {
                Request request = Request.of(all.get("prompt").asText())
                        .negativePrompt(all.get("negative_prompt").asText())
                        .size(all.get("size").asInt(), all.get("size").asInt())
                        .steps(one.get("steps").asInt())
                        .seed(one.get("seed").asLong())
                        .guidanceScale(one.get("guidance_scale").asDouble())
                        .scheduler("lcm")
                        .loras(lora);
                Result result = pipeline.generate(request);
                String name = one.get("name").asText();
                var expected = ImageIO.read(FIXTURES.resolve(name + ".png").toFile());
                assertThat(mostChannelsDiffer(result.image().toBufferedImage(), expected))
                        .as(name)
                        .isLessThanOrEqualTo(TOLERANCE);
                assertThat(result.warnings())
                        .isEqualTo(GuidanceAdvice.of(request).stream().toList());
            }
            Request unsuited = Request.of("a cat").steps(30).guidanceScale(7).scheduler("euler");
            assertThat(pipeline.advice(unsuited)).isEmpty();
            assertThat(pipeline.advice(unsuited.loras(lora)))
                    .singleElement()
                    .asString()
                    .contains("lcm-lora-sdv1-5", "LCM", "30 steps", "guidance scale of 7", "scheduler lcm");
        }
    }
}
