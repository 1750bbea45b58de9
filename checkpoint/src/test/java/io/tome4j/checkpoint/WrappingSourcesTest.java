package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WrappingSourcesTest {
    @TempDir
    Path folder;

    private SafetensorsFile stored;

    @BeforeEach
    void twoTensors() {
        Path file = folder.resolve("x.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(
                    file,
                    Map.of(
                            "query.weight", Tensors.of(new float[] {1, 2}, 1, 2),
                            "query.bias", Tensors.of(new float[] {3}, 1)));
        }
        stored = SafetensorsFile.open(file);
    }

    private RenamedWeights renamed() {
        return RenamedWeights.of(stored, name -> name.replace("query", "to_q"));
    }

    @Test
    void aModelTakesTensorsByTheirNewNames() {
        try (var weights = Weights.of(stored, Placement.CPU_FP32);
                var scope = TensorScope.open()) {
            Weights view = weights.through(source -> renamed());
            Linear layer = Linear.of(view.scope("to_q"), 2, 1);
            view.requireAllTaken();
            assertThat(Tensors.floats(layer.forward(torch.ones(1, 2)))).containsExactly(6);
            assertThatThrownBy(() -> view.through(source -> source)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void oldNamesAreGone() {
        assertThat(renamed().names()).containsExactlyInAnyOrder("to_q.weight", "to_q.bias");
        assertThat(renamed().has("query.weight")).isFalse();
        assertThatThrownBy(() -> renamed().load("query.weight", new long[] {1, 2}))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'query.weight' is missing from " + stored.path());
    }

    @Test
    void aWrongShapeIsSaidOfTheTensorAsItIsStored() {
        assertThatThrownBy(() -> renamed().load("to_q.weight", new long[] {2, 1}))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'query.weight' in " + stored.path() + " has the shape [1, 2]");
    }

    @Test
    void twoTensorsOfOneNameAreRefused() {
        assertThatThrownBy(() -> RenamedWeights.of(stored, name -> "to_q"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'query.weight'")
                .hasMessageContaining("'query.bias'");
    }

    @Test
    void randomTensorsHaveAnyNameAndShapeAndDependOnSeedAndName() {
        RandomWeights random = new RandomWeights(7);
        assertThat(RenamedWeights.of(random, name -> "new " + name).has("anything"))
                .isTrue();
        try (var scope = TensorScope.open()) {
            Tensor weight = random.load("a.weight", new long[] {64, 100});
            assertThat(weight.std().item_float()).isBetween(0.09f, 0.11f); // 1 / sqrt(100)
            assertThat(torch.equal(weight, new RandomWeights(7).load("a.weight", new long[] {64, 100})))
                    .isTrue();
            assertThat(torch.equal(weight, random.load("b.weight", new long[] {64, 100})))
                    .isFalse();
            assertThat(torch.equal(weight, new RandomWeights(8).load("a.weight", new long[] {64, 100})))
                    .isFalse();
            assertThat(Tensors.floats(random.load("norm.weight", new long[] {2})))
                    .containsExactly(1, 1);
            assertThat(Tensors.floats(random.load("a.bias", new long[] {2}))).containsExactly(0, 0);
        }
    }

    @Test
    void sharedWeightsArePlacedOnceForAllModels() {
        Placement bf16 = new Placement(ComputeDevice.CPU, DType.BF16);
        try (var shared = new SharedWeights(renamed(), bf16);
                var one = Weights.of(shared, bf16);
                var other = Weights.of(shared, bf16)) {
            Tensor first = one.take("to_q.weight", 1, 2);
            assertThat(Tensors.dtype(first)).isEqualTo(torch.ScalarType.BFloat16);
            assertThat(other.take("to_q.weight", 1, 2).data_ptr().address())
                    .isEqualTo(first.data_ptr().address());
            assertThatThrownBy(() -> other.take("to_q.weight", 2, 1)).isInstanceOf(TomeException.class);
        }
    }
}
