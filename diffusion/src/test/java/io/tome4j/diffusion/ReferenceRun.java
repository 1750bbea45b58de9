package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMe;
import io.tome4j.tensor.TensorScope;
import java.awt.image.BufferedImage;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.global.torch;

/** A run of the reference that a fixture describes, and what came out of it. */
final class ReferenceRun {
    private static final double LATENT_TOLERANCE = 2e-2;
    private static final int TOLERANCE = 2; // of 255

    private ReferenceRun() {}

    /** Sets libtorch's own seed and merging as the case has them, before what it asks for is generated. */
    static void prepare(StableDiffusionPipeline pipeline, JsonNode c) {
        torch.manual_seed(c.get("global_seed").longValue());
        if (!c.get("tome").isNull()) {
            ToMe.applyPatch(pipeline, Fixtures.tomesdOptions(c.get("tome")));
        }
    }

    /** @param folder of the fixtures, with a slash; {@code latents.safetensors} there has those of the case by its name */
    static void requireSameLatents(Result result, JsonNode c, String folder) {
        SafetensorsFile latents = SafetensorsFile.open(Fixtures.path(folder + "latents.safetensors"));
        try (var scope = TensorScope.open()) {
            assertThat(Fixtures.maxDifference(
                            result.latents().tensor(),
                            latents.load(c.get("name").textValue())))
                    .isLessThan(LATENT_TOLERANCE);
        }
    }

    /** @param folder of the fixtures, with a slash, where the images lie that the case names */
    static void requireSameImages(Result result, JsonNode c, String folder) throws IOException {
        assertThat(result.images()).hasSize(c.get("images").size());
        for (int i = 0; i < result.images().size(); i++) {
            BufferedImage expected = ImageIO.read(
                    Fixtures.path(folder + c.get("images").get(i).textValue()).toFile());
            assertThat(PipelineParityTest.mostChannelsDiffer(
                            result.images().get(i).toBufferedImage(), expected))
                    .isLessThanOrEqualTo(TOLERANCE);
        }
    }
}
