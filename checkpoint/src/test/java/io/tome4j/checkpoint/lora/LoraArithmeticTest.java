package io.tome4j.checkpoint.lora;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each kind of change, compared with what lycoris_lora's modules merge: see {@code reference/parts/lora.py}. */
class LoraArithmeticTest {
    private static final double TOLERANCE = 1e-5;
    private static final SafetensorsFile UNET =
            SafetensorsFile.open(fixture("tiny-sd1/unet/diffusion_pytorch_model.safetensors"));
    private static final SafetensorsFile MERGED = SafetensorsFile.open(fixture("lora/lycoris-merged.safetensors"));

    private static Path fixture(String name) {
        return Path.of(System.getProperty("tome4j.fixtures")).resolve(name);
    }

    static Stream<String> tensors() {
        return MERGED.names().stream();
    }

    private static LoraWeights merged(double strength) {
        LoraTarget target = new LoraTarget("unet", UNET, Map.of());
        LoraMatch match = LoraMatch.of(LoraFile.open(fixture("lora/lycoris.safetensors")), List.of(target));
        assertThat(match.leftOut()).isEmpty();
        Map<String, List<LoraChange>> changes = new HashMap<>();
        match.addTo(changes, "unet", strength);
        LoraWeights weights = new LoraWeights(UNET);
        assertThat(weights.change(changes)).containsExactlyInAnyOrderElementsOf(MERGED.names());
        return weights;
    }

    private static double difference(Tensor actual, Tensor expected) {
        return Tensors.floats(actual.sub(expected).abs().max())[0];
    }

    @ParameterizedTest
    @MethodSource("tensors")
    void eachKindMergesAsItsOwnCodeDoes(String name) {
        try (var scope = TensorScope.open()) {
            Tensor expected = MERGED.load(name);
            Tensor actual = merged(1).load(name, UNET.shape(name));
            assertThat(difference(actual, expected)).as(name).isLessThan(TOLERANCE);
            assertThat(difference(UNET.load(name), expected)).isGreaterThan(1e-2);
        }
    }

    @ParameterizedTest
    @MethodSource("tensors")
    void aStrengthIsAShareOfWhatChanges(String name) {
        try (var scope = TensorScope.open()) {
            Tensor plain = UNET.load(name);
            Tensor expected = plain.add(MERGED.load(name).sub(plain), new Scalar(-0.7));
            assertThat(difference(merged(-0.7).load(name, UNET.shape(name)), expected))
                    .as(name)
                    .isLessThan(TOLERANCE);
        }
    }

    @Test
    void withoutLorasAllIsAsStored() {
        LoraWeights weights = merged(1);
        assertThat(weights.change(Map.of())).hasSameElementsAs(MERGED.names());
        weights.taken();
        assertThat(weights.change(Map.of())).isEmpty();
        String name = MERGED.names().iterator().next();
        try (var scope = TensorScope.open()) {
            assertThat(difference(weights.load(name, UNET.shape(name)), UNET.load(name)))
                    .isZero();
        }
    }
}
