package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class WeightsTest {
    /** Ones of given shapes, from "here.safetensors". */
    record Ones(Map<String, long[]> shapes) implements StoredTensors {
        @Override
        public Set<String> names() {
            return shapes.keySet();
        }

        @Override
        public long[] shape(String name) {
            return shapes.get(name);
        }

        @Override
        public Tensor load(String name) {
            return torch.ones(shapes.get(name));
        }

        @Override
        public String origin(String name) {
            return "here.safetensors";
        }
    }

    private static final Weights.Source SOURCE = new Ones(Map.of(
            "mid.proj.weight", new long[] {2, 3}, "mid.proj.bias", new long[] {2}, "stray.weight", new long[] {1}));

    @Test
    void layerTakesItsTensorsFromItsScope() {
        try (var weights = Weights.of(SOURCE, Placement.CPU_FP32);
                var scope = TensorScope.open()) {
            Linear proj = Linear.of(weights.scope("mid").scope("proj"), 3, 2);
            assertThat(Tensors.floats(proj.forward(torch.ones(1, 3)))).containsExactly(4, 4);
        }
    }

    @Test
    void tensorsArePlacedInTheModelsDtype() {
        try (var weights = Weights.of(SOURCE, new Placement(ComputeDevice.CPU, DType.BF16))) {
            assertThat(Tensors.dtype(weights.take("mid.proj.weight", 2, 3))).isEqualTo(torch.ScalarType.BFloat16);
        }
    }

    @Test
    void closingFreesAllThatWasTaken() {
        Engine.start();
        long before = TensorScope.liveObjects();
        try (var weights = Weights.of(SOURCE, Placement.CPU_FP32)) {
            Linear.of(weights.scope("mid.proj"), 3, 2);
            assertThat(TensorScope.liveObjects()).isGreaterThan(before);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void missingTensorIsNamedWithItsFile() {
        try (var weights = Weights.of(SOURCE, Placement.CPU_FP32)) {
            assertThatThrownBy(() -> weights.scope("mid").take("norm.weight", 2))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("'mid.norm.weight' is missing from here.safetensors");
        }
    }

    @Test
    void wrongShapeIsNamedWithBothShapes() {
        try (var weights = Weights.of(SOURCE, Placement.CPU_FP32)) {
            assertThatThrownBy(() -> weights.take("mid.proj.weight", 3, 2))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("'mid.proj.weight' in here.safetensors has the shape [2, 3]")
                    .hasMessageContaining("[3, 2]");
        }
    }

    @Test
    void tensorThatNobodyTookIsNamed() {
        try (var weights = Weights.of(SOURCE, Placement.CPU_FP32)) {
            Linear.of(weights.scope("mid.proj"), 3, 2);
            assertThatThrownBy(weights::requireAllTaken)
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("Unexpected in here.safetensors: 'stray.weight'");
            weights.ignore("stray.weight");
            weights.requireAllTaken();
        }
    }
}
