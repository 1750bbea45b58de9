package io.tome4j.models.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AutoencoderKLTest {
    private static Config config(String kind) {
        return Config.read(Fixtures.path("tiny-" + kind + "/vae/config.json"));
    }

    private static AutoencoderKL load(String kind, Config config, Placement placement) {
        var file = SafetensorsFile.open(Fixtures.path("tiny-" + kind + "/vae/diffusion_pytorch_model.safetensors"));
        return AutoencoderKL.of(Weights.of(file, placement), config);
    }

    private static AutoencoderKL load(String kind) {
        return load(kind, config(kind), Placement.CPU_FP32);
    }

    private static SafetensorsFile stages(String kind) {
        return SafetensorsFile.open(Fixtures.path("stages-" + kind + ".safetensors"));
    }

    @ParameterizedTest
    @CsvSource({"sd1, vae", "sd1, vae_odd", "sd2, vae", "sd2, vae_odd"})
    void decodesToTheImageOfDiffusers(String kind, String stage) {
        SafetensorsFile expected = stages(kind);
        try (var vae = load(kind);
                var scope = TensorScope.open()) {
            Tensor image = vae.decode(expected.load(stage + ".latents"));
            assertThat(Fixtures.maxDifference(image, expected.load(stage + ".decoded")))
                    .isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @CsvSource({"sd1, vae", "sd1, vae_odd", "sd2, vae", "sd2, vae_odd"})
    void encodesToTheMomentsOfDiffusers(String kind, String stage) {
        SafetensorsFile expected = stages(kind);
        try (var vae = load(kind);
                var scope = TensorScope.open()) {
            Tensor moments = vae.encode(expected.load(stage + ".image"));
            assertThat(Fixtures.maxDifference(moments, expected.load(stage + ".moments")))
                    .isLessThan(1e-4);
        }
    }

    @Test
    void fp16ComputesInFp32WhereTheConfigAsksForIt() {
        Config asks = config("sd1").with("force_upcast", true);
        Config doesNot = config("sd1").with("force_upcast", false);
        Placement fp16 = new Placement(ComputeDevice.CPU, DType.FP16);
        try (var vae = load("sd1");
                var upcast = load("sd1", asks, fp16);
                var half = load("sd1", doesNot, fp16)) {
            assertThat(upcast.weightBytes()).isEqualTo(vae.weightBytes());
            assertThat(half.weightBytes()).isEqualTo(vae.weightBytes() / 2);
            try (var scope = TensorScope.open()) {
                Tensor latents = stages("sd1").load("vae.latents");
                assertThat(torch.equal(upcast.decode(latents), vae.decode(latents)))
                        .isTrue();
            }
        }
    }

    @Test
    void imagesOfABatchDoNotTouchEachOther() {
        try (var vae = load("sd1");
                var scope = TensorScope.open()) {
            Tensor latents = Tensors.randn(Tensors.generator(1), 3, 4, 5, 6);
            Tensor together = vae.decode(latents);
            assertThat(Tensors.shape(together)).containsExactly(3, 3, 40, 48);
            Tensor alone = vae.decode(Tensors.slice(latents, 0, 1, 2));
            assertThat(Fixtures.maxDifference(Tensors.slice(together, 0, 1, 2), alone))
                    .isZero();
        }
    }

    @Test
    void halfPrecisionModelGivesAnFp32Image() {
        SafetensorsFile expected = stages("sd1");
        try (var vae = load("sd1", config("sd1"), new Placement(ComputeDevice.CPU, DType.BF16));
                var scope = TensorScope.open()) {
            Tensor image = vae.decode(expected.load("vae.latents"));
            assertThat(Tensors.dtype(image)).isEqualTo(torch.ScalarType.Float);
            assertThat(Fixtures.maxDifference(image, expected.load("vae.decoded")))
                    .isLessThan(0.15);
        }
    }

    @ParameterizedTest
    @CsvSource({"65, 64", "21, 97", "17, 5"})
    void tiledCodingIsNearTheWholeOne(int height, int width) {
        try (var vae = load("sd2");
                var scope = TensorScope.open()) {
            Tensor latents = Tensors.randn(Tensors.generator(height), 1, 4, height, width);
            Tensor whole = vae.decode(latents, false);
            Tensor tiled = vae.decode(latents, true);
            assertThat(Tensors.shape(tiled)).containsExactly(1, 3, 8L * height, 8L * width);
            // Each tile has group norms and attention of its own: near, not equal.
            assertNear(tiled, whole, 0.1);
            Tensor image = whole.clamp(new ScalarOptional(new Scalar(-1)), new ScalarOptional(new Scalar(1)));
            assertNear(vae.encode(image, true), vae.encode(image, false), 0.2);
        }
    }

    /** Root mean square error against the standard deviation of what is expected. */
    private static void assertNear(Tensor actual, Tensor expected, double share) {
        double error = actual.sub(expected).pow(new Scalar(2)).mean().sqrt().item_double();
        assertThat(error).isLessThan(share * expected.std(true).item_double());
    }

    @Test
    void fiftyPassesLeaveNothingBehind() {
        try (var scope = TensorScope.open()) {
            Tensor latents = torch.ones(2, 4, 2, 2);
            Tensor images = torch.ones(1, 3, 16, 16);
            long before = TensorScope.liveObjects();
            try (var vae = load("sd1")) {
                long loaded = TensorScope.liveObjects();
                for (int pass = 0; pass < 50; pass++) {
                    vae.decode(latents).close();
                    vae.encode(images).close();
                }
                assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "act_fn | gelu | 'act_fn' is \"gelu\"; supported: \"silu\"",
                "shift_factor | 1 | 'shift_factor' is 1; supported: null",
                "norm_num_groups | 5 | 'block_out_channels' is [8,8,16,16]; supported: one or more multiples of"
                        + " norm_num_groups, 5",
                "layers_per_block | 0 | 'layers_per_block' is 0; supported: an integer from 1 to 1024",
                "double_z | 1 | Unknown in"
            })
    void unsupportedSettingIsNamed(String key, String value, String message) {
        Object parsed = value.matches("\\d+") ? (Object) Integer.valueOf(value) : value;
        assertRefused(config("sd1").with(key, parsed), message);
    }

    @Test
    void unsupportedBlockIsNamed() {
        List<String> blocks =
                List.of("DownEncoderBlock2D", "AttnDownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D");
        assertRefused(
                config("sd1").with("down_block_types", blocks),
                "supported: \"DownEncoderBlock2D\" once for each of the 4 block_out_channels");
    }

    private static void assertRefused(Config config, String message) {
        assertThatThrownBy(() -> load("sd1", config, Placement.CPU_FP32))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("vae/config.json")
                .hasMessageContaining(message);
    }

    @Test
    void wrongShapeIsRefused() {
        try (var vae = load("sd1");
                var scope = TensorScope.open()) {
            assertThatThrownBy(() -> vae.decode(torch.zeros(1, 3, 8, 8)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("latents of the shape [1, 3, 8, 8] instead of [B, 4, height, width]");
            assertThatThrownBy(() -> vae.encode(torch.zeros(1, 3, 8, 12)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("that 8 divides");
        }
    }
}
