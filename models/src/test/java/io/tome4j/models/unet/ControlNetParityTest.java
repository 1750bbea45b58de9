package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.MergeContext;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A pass of tiny ControlNets, compared with diffusers': {@code reference/parts/controlnet.py}. */
class ControlNetParityTest {
    private static final double TOLERANCE = 1e-4;

    static Stream<Arguments> passes() {
        return Fixtures.cases("controlnet/passes.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    private static Config config(String net) {
        return Config.read(Fixtures.path("controlnet/" + net + "/config.json"));
    }

    private static ControlNetModel load(String net) {
        String file = "/diffusion_pytorch_model.safetensors";
        Path own = Fixtures.path("controlnet/" + net + file);
        Path weights = Files.exists(own) ? own : Fixtures.path("controlnet/sd1" + file);
        return ControlNetModel.of(
                Weights.of(SafetensorsFile.open(weights), Placement.CPU_FP32),
                ControlNetConfig.of(config(net)),
                AttentionKernel.EFFICIENT);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("passes")
    void residualsAreThoseOfDiffusers(String name, JsonNode c) {
        SafetensorsFile expected = SafetensorsFile.open(Fixtures.path("controlnet/passes.safetensors"));
        double timestep = c.get("timestep").doubleValue();
        try (var net = load(c.get("net").textValue());
                var scope = TensorScope.open()) {
            Optional<AddedConditioning> added = expected.names().contains(name + ".time_ids")
                    ? Optional.of(new AddedConditioning(
                            expected.load(name + ".text_embeds"), expected.load(name + ".time_ids")))
                    : Optional.empty();
            Conditioning conditioning = net.condition(List.of(expected.load(name + ".text")), added, timestep);
            ControlResiduals residuals = net.forward(
                    expected.load(name + ".sample"),
                    timestep,
                    net.embed(expected.load(name + ".image")),
                    conditioning,
                    c.get("scale").doubleValue(),
                    c.get("guess").booleanValue(),
                    MergeContext.NONE);
            assertThat(residuals.down()).hasSize(c.get("down").intValue());
            for (int i = 0; i < residuals.down().size(); i++) {
                Tensor some = strided(strided(residuals.down().get(i), 2, 3), 3, 2);
                assertThat(Fixtures.maxDifference(some, expected.load(name + ".down." + i)))
                        .isLessThan(TOLERANCE);
            }
            assertThat(Fixtures.maxDifference(residuals.mid(), expected.load(name + ".mid")))
                    .isLessThan(TOLERANCE);
        }
    }

    private static Tensor strided(Tensor x, long dimension, long step) {
        return x.slice(dimension, new LongOptional(), new LongOptional(), step);
    }

    @Test
    void rowsOfZerosStandInFrontOfThoseWithThePrompt() {
        try (var scope = TensorScope.open()) {
            Tensor one = Tensors.of(new float[] {1, 2}, 1, 2, 1, 1);
            ControlResiduals padded = new ControlResiduals(List.of(one), one)
                    .plus(new ControlResiduals(List.of(one), one))
                    .behind(1);
            assertThat(Tensors.floats(padded.mid())).containsExactly(0, 0, 2, 4);
            assertThat(Tensors.floats(padded.down().get(0))).containsExactly(0, 0, 2, 4);
        }
    }

    @Test
    void settingsThatAreNotComputedAreRefused() {
        for (Config other : List.of(
                config("sd1").with("controlnet_conditioning_channel_order", "gbr"),
                config("sd1").with("conditioning_embedding_out_channels", List.of(16, 32)),
                config("sd1").with("conditioning_channels", 4),
                config("sd1").with("num_control_type", 6))) {
            assertThatThrownBy(() -> ControlNetConfig.of(other)).isInstanceOf(TomeException.class);
        }
    }
}
