package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.ConvertedTensors.Form;
import io.tome4j.checkpoint.ConvertedTensors.Stored;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertedTensorsTest {
    @TempDir
    Path folder;

    private SafetensorsFile write(Map<String, Tensor> tensors) {
        Path file = folder.resolve("x.safetensors");
        SafetensorsWriter.write(file, tensors);
        return SafetensorsFile.open(file);
    }

    @ParameterizedTest
    @CsvSource({
        "TRANSPOSED, '1, 4, 2, 5, 3, 6', '3, 2'",
        "FIRST_THIRD, '1, 2', 1",
        "SECOND_THIRD, '3, 4', 1",
        "LAST_THIRD, '5, 6', 1"
    })
    void eachFormIsTakenBack(Form form, String values, String shape) {
        try (var scope = TensorScope.open()) {
            long[] stored = form == Form.TRANSPOSED ? new long[] {2, 3} : new long[] {3, 2};
            ConvertedTensors converted = new ConvertedTensors(
                    write(Map.of("x", Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, stored))),
                    Map.of("y", new Stored("x", form)));
            long[] asked = converted.shape("y");
            Tensor loaded = converted.load("y", asked);
            assertThat(Tensors.shape(loaded)).isEqualTo(asked);
            assertThat(asked[0]).isEqualTo(Long.parseLong(shape.split(",")[0]));
            assertThat(Tensors.floats(loaded)).isEqualTo(floats(values));
            assertThat(loaded.is_contiguous()).isTrue();
        }
    }

    private static float[] floats(String values) {
        List<String> list = List.of(values.split(", "));
        float[] floats = new float[list.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = Float.parseFloat(list.get(i));
        }
        return floats;
    }

    @Test
    void aPointwiseConvolutionIsALinearLayerAndOneThatIsLinearStaysSo() {
        try (var scope = TensorScope.open()) {
            ConvertedTensors converted = new ConvertedTensors(
                    write(Map.of(
                            "conv", Tensors.of(new float[] {1, 2, 3, 4}, 2, 2, 1, 1),
                            "linear", Tensors.of(new float[] {1, 2, 3, 4}, 2, 2))),
                    Map.of(
                            "a", new Stored("conv", Form.WITHOUT_KERNEL),
                            "b", new Stored("linear", Form.WITHOUT_KERNEL)));
            for (String name : List.of("a", "b")) {
                assertThat(Tensors.floats(converted.load(name, new long[] {2, 2})))
                        .containsExactly(1, 2, 3, 4);
            }
        }
    }

    @Test
    void aWrongShapeNamesTheFile() {
        try (var scope = TensorScope.open()) {
            ConvertedTensors converted = new ConvertedTensors(
                    write(Map.of("x", Tensors.of(new float[] {1, 2, 3, 4}, 4, 1))),
                    Map.of("y", new Stored("x", Form.FIRST_THIRD)));
            assertThatThrownBy(() -> converted.load("y", new long[] {1, 1}))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("x.safetensors")
                    .hasMessageContaining("[4, 1]");
            assertThat(converted.has("x")).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"scale_weight", "weight_scale"})
    void valuesInEightBitsAreMultipliedByTheirScale(String scale) {
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put(
                    "a.weight", Tensors.of(new float[] {1, -2, 448, 0.5f}, 2, 2).to(ScalarType.Float8_e4m3fn));
            tensors.put("a." + scale, Tensors.of(new float[] {0.25f}, new long[0]));
            tensors.put("a.bias", Tensors.of(new float[] {3}, 1));
            tensors.put("a.scale_input", Tensors.of(new float[] {3}, 1));
            tensors.put("scaled_fp8", Tensors.of(new float[] {0, 0}, 2).to(ScalarType.Float8_e4m3fn));
            var scaled = ScaledTensors.of(write(tensors));
            assertThat(scaled.names()).containsExactlyInAnyOrder("a.weight", "a.bias");
            assertThat(Tensors.floats(scaled.load("a.weight"))).containsExactly(0.25f, -0.5f, 112, 0.125f);
            assertThat(Tensors.floats(scaled.load("a.bias"))).containsExactly(3);
        }
    }

    @Test
    void aScaleForEachRowCountsForItsRow() {
        try (var scope = TensorScope.open()) {
            var scaled = ScaledTensors.of(write(Map.of(
                    "a.weight", Tensors.of(new float[] {1, 2, 3, 4}, 2, 2).to(ScalarType.Float8_e5m2),
                    "a.weight_scale", Tensors.of(new float[] {2, 10}, 2))));
            assertThat(Tensors.floats(scaled.load("a.weight"))).containsExactly(2, 4, 30, 40);
        }
    }

    @Test
    void valuesInEightBitsWithoutScalesAreTheValues() {
        try (var scope = TensorScope.open()) {
            var plain = ScaledTensors.of(write(
                    Map.of("a.weight", Tensors.of(new float[] {1, -1.75f}, 2).to(ScalarType.Float8_e4m3fn))));
            assertThat(Tensors.floats(plain.load("a.weight").to(ScalarType.Float)))
                    .containsExactly(1, -1.75f);
        }
    }

    @Test
    void aFileThatLacksItsScalesIsRefused() {
        try (var scope = TensorScope.open()) {
            SafetensorsFile file = write(Map.of(
                    "a.weight", Tensors.of(new float[] {1}, 1, 1).to(ScalarType.Float8_e4m3fn),
                    "scaled_fp8", Tensors.of(new float[] {0, 0}, 2)));
            assertThatThrownBy(() -> ScaledTensors.of(file))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("x.safetensors")
                    .hasMessageContaining("'a.weight'")
                    .hasMessageContaining("scales");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PK\u0003\u0004 and more", "\u0080\u0002}q\u0000(X\u0005\u0000\u0000\u0000model"})
    void aPickleIsToldByItsContent(String content) throws Exception {
        Path file = folder.resolve("model.safetensors");
        Files.write(file, content.getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(file + " is a pickle")
                .hasMessageContaining("although its name says otherwise")
                .hasMessageContaining("convert it");
    }

    @Test
    void aGgufFileIsNamed() throws Exception {
        Path file = folder.resolve("model.gguf");
        Files.write(file, "GGUF\3\0\0\0more than that".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("GGUF");
    }
}
