package io.tome4j.models.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class AutoencoderTinyTest {
    private static final SafetensorsFile EXPECTED =
            SafetensorsFile.open(Fixtures.path("tiny-taesd/expected.safetensors"));

    private static AutoencoderTiny load(Config config) {
        var file = SafetensorsFile.open(Fixtures.path("tiny-taesd/diffusion_pytorch_model.safetensors"));
        return AutoencoderTiny.of(Weights.of(file, Placement.CPU_FP32), config);
    }

    private static Config config() {
        return Config.read(Fixtures.path("tiny-taesd/config.json"));
    }

    @Test
    void decodesToTheImageOfDiffusers() {
        try (var vae = load(config());
                var scope = TensorScope.open()) {
            Tensor image = vae.decode(EXPECTED.load("latents"));
            assertThat(Fixtures.maxDifference(image, EXPECTED.load("decoded"))).isLessThan(1e-4);
        }
    }

    @Test
    void encodesToTheLatentsOfDiffusers() {
        try (var vae = load(config());
                var scope = TensorScope.open()) {
            Tensor latents = vae.encode(EXPECTED.load("image"));
            assertThat(Fixtures.maxDifference(latents, EXPECTED.load("encoded")))
                    .isLessThan(1e-4);
        }
    }

    @Test
    void codingLeavesNothingBehind() {
        try (var vae = load(config());
                var scope = TensorScope.open()) {
            Tensor latents = EXPECTED.load("latents");
            long before = TensorScope.liveObjects();
            try (var inner = TensorScope.open()) {
                vae.encode(vae.decode(latents));
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (var vae = load(config());
                var scope = TensorScope.open()) {
            assertThatThrownBy(() -> vae.decode(Tensors.of(new float[16], 1, 16, 1, 1)))
                    .hasMessageContaining("[1, 16, 1, 1] instead of [B, 4, height, width]");
            assertThatThrownBy(() -> vae.encode(Tensors.of(new float[3 * 4 * 4], 1, 3, 4, 4)))
                    .hasMessageContaining("with sides that 8 divides");
        }
    }

    @Test
    void otherActivationsAndWidthsAreErrorsThatNameThem() {
        assertThatThrownBy(() -> load(config().with("act_fn", "gelu")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'act_fn'");
        assertThatThrownBy(() -> load(config().with("scaling_factor", 0.5)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'scaling_factor'");
        assertThatThrownBy(() -> load(config().with("latent_channels", 16)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("encoder.layers");
    }
}
