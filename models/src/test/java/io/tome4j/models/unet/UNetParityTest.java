package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with what {@code diffusers}, patched by {@code tomesd} or not, gave: see {@code reference/}. */
class UNetParityTest {
    private static final double TOLERANCE = 1e-4;

    private static UNet2DConditionModel load(String pipeline, AttentionKernel kernel) {
        Path folder = Fixtures.path(pipeline + "/unet");
        return UNet2DConditionModel.of(
                Weights.of(
                        SafetensorsFile.open(folder.resolve("diffusion_pytorch_model.safetensors")),
                        Placement.CPU_FP32),
                Config.read(folder.resolve("config.json")),
                kernel);
    }

    @ParameterizedTest
    @CsvSource({
        "sd1, unet, EFFICIENT",
        "sd1, unet, NAIVE",
        "sd1, unet_odd, EFFICIENT",
        "sd2, unet, EFFICIENT",
        "sd2, unet, NAIVE",
        "sd2, unet_odd, NAIVE"
    })
    void predictsWhatDiffusersPredicts(String kind, String stage, AttentionKernel kernel) {
        SafetensorsFile expected = SafetensorsFile.open(Fixtures.path("stages-" + kind + ".safetensors"));
        try (var unet = load("tiny-" + kind, kernel);
                var scope = TensorScope.open()) {
            Tensor output = unet.forward(
                    expected.load(stage + ".sample"),
                    Tensors.longs(expected.load(stage + ".timestep"))[0],
                    expected.load(stage + ".encoder_hidden_states"),
                    MergeContext.NONE);
            assertThat(Fixtures.maxDifference(output, expected.load(stage + ".output")))
                    .isLessThan(TOLERANCE);
        }
    }

    @Test
    void aRunsConditioningGivesWhatEachStepsOwnGives() {
        SafetensorsFile inputs = SafetensorsFile.open(Fixtures.path("stages-sd1.safetensors"));
        try (var unet = load("tiny-sd1", AttentionKernel.EFFICIENT);
                var other = load("tiny-sd1", AttentionKernel.EFFICIENT);
                var scope = TensorScope.open()) {
            Tensor sample = inputs.load("unet.sample");
            Tensor text = inputs.load("unet.encoder_hidden_states");
            Conditioning conditioning = unet.condition(text, 981, 500, 1);
            for (double timestep : new double[] {1, 981, 500}) {
                Tensor expected = unet.forward(sample, timestep, text, MergeContext.NONE);
                Tensor actual = unet.forward(sample, timestep, conditioning, MergeContext.NONE);
                assertThat(Fixtures.maxDifference(actual, expected)).isLessThan(1e-5);
            }
            assertThatThrownBy(() -> unet.forward(sample, 999, conditioning, MergeContext.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("999");
            assertThatThrownBy(() -> other.forward(sample, 1, conditioning, MergeContext.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another model");
        }
    }

    static Stream<Arguments> patched() {
        return Fixtures.cases("merging/unet-cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("patched")
    void patchedItPredictsWhatTomesdPredictsTwiceInARow(String name, JsonNode c) {
        SafetensorsFile expected = SafetensorsFile.open(Fixtures.path("merging/unet-cases.safetensors"));
        String inputs = c.get("inputs").textValue();
        try (var unet = load(c.get("pipeline").textValue(), AttentionKernel.EFFICIENT);
                var scope = TensorScope.open()) {
            torch.manual_seed(c.get("global_seed").longValue());
            ToMe.applyPatch(unet, Fixtures.tomesdOptions(c.get("options")));
            try (var run = MergeRun.of(unet, 0, 1)) {
                for (int call = 0; call < 2; call++) {
                    Tensor output = unet.forward(
                            expected.load(inputs + ".sample"),
                            c.get("timesteps").get(call).doubleValue(),
                            expected.load(inputs + ".encoder_hidden_states"),
                            run.step(call));
                    Tensor reference = expected.load(name + ".outputs").select(0, call);
                    assertThat(Fixtures.maxDifference(output, reference)).isLessThan(TOLERANCE);
                }
            }
        }
    }

    @Test
    void removingThePatchRestoresTheExactOutput() {
        SafetensorsFile inputs = SafetensorsFile.open(Fixtures.path("stages-sd1.safetensors"));
        try (var unet = load("tiny-sd1", AttentionKernel.EFFICIENT);
                var scope = TensorScope.open()) {
            float[] before = forward(unet, inputs);
            ToMe.applyPatch(unet, ToMeOptions.ratio(0.5).maxDownsample(8).mergeMlp(true));
            float[] patched = forward(unet, inputs);
            assertThat(patched).isNotEqualTo(before);
            assertThat(forward(unet, inputs)).as("seeded draws repeat").isEqualTo(patched);
            ToMe.removePatch(unet);
            assertThat(forward(unet, inputs)).isEqualTo(before);
        }
    }

    private static float[] forward(UNet2DConditionModel unet, SafetensorsFile inputs) {
        try (var run = MergeRun.of(unet, 0, 1)) {
            return Tensors.floats(unet.forward(
                    inputs.load("unet.sample"), 500, inputs.load("unet.encoder_hidden_states"), run.step(0)));
        }
    }

    @Test
    void forwardPassesLeaveNothingBehindAndClosingFreesTheModel() {
        Engine.start();
        long before = TensorScope.liveObjects();
        try (var unet = load("tiny-sd2", AttentionKernel.EFFICIENT)) {
            SafetensorsFile inputs = SafetensorsFile.open(Fixtures.path("stages-sd2.safetensors"));
            ToMe.applyPatch(unet, ToMeOptions.ratio(0.5));
            long loaded = TensorScope.liveObjects();
            for (int i = 0; i < 10; i++) {
                try (var scope = TensorScope.open()) {
                    forward(unet, inputs);
                }
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
