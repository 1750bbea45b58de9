package io.tome4j.models.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTextModelTest {
    private static Config config(String kind) {
        return Config.read(Fixtures.path("tiny-" + kind + "/text_encoder/config.json"));
    }

    private static ClipTextModel load(String kind, Config config, AttentionKernel kernel, Placement placement) {
        var file = SafetensorsFile.open(Fixtures.path("tiny-" + kind + "/text_encoder/model.safetensors"));
        return ClipTextModel.of(Weights.of(file, placement), config, kernel);
    }

    private static SafetensorsFile stages(String kind) {
        return SafetensorsFile.open(Fixtures.path("stages-" + kind + ".safetensors"));
    }

    private static long[][] ids(SafetensorsFile stages) {
        try (var scope = TensorScope.open()) {
            long[] flat = Tensors.longs(stages.load("text.input_ids"));
            long[][] rows = new long[flat.length / 77][77];
            for (int row = 0; row < rows.length; row++) {
                System.arraycopy(flat, row * 77, rows[row], 0, 77);
            }
            return rows;
        }
    }

    @ParameterizedTest
    @CsvSource({"sd1, NAIVE", "sd1, EFFICIENT", "sd2, NAIVE", "sd2, EFFICIENT"})
    void lastHiddenStateEqualsThatOfTransformers(String kind, AttentionKernel kernel) {
        SafetensorsFile expected = stages(kind);
        try (var model = load(kind, config(kind), kernel, Placement.CPU_FP32);
                var scope = TensorScope.open()) {
            Tensor hidden = model.forward(ids(expected));
            assertThat(Tensors.shape(hidden)).containsExactly(2, 77, 32);
            assertThat(Fixtures.maxDifference(hidden, expected.load("text.last_hidden_state")))
                    .isLessThan(1e-5);
        }
    }

    @Test
    void tokensDoNotSeeThoseAfterThem() {
        try (var model = load("sd1", config("sd1"), AttentionKernel.EFFICIENT, Placement.CPU_FP32);
                var scope = TensorScope.open()) {
            Tensor first = model.forward(new long[][] {{992, 5, 6, 7}});
            Tensor second = model.forward(new long[][] {{992, 5, 6, 300}});
            assertThat(Fixtures.maxDifference(Tensors.slice(first, 1, 0, 3), Tensors.slice(second, 1, 0, 3)))
                    .isLessThan(1e-6);
            assertThat(Fixtures.maxDifference(first, second)).isGreaterThan(0.1);
        }
    }

    @Test
    void computesInTheDtypeOfItsPlacement() {
        SafetensorsFile expected = stages("sd1");
        var bf16 = new Placement(ComputeDevice.CPU, DType.BF16);
        try (var model = load("sd1", config("sd1"), AttentionKernel.EFFICIENT, bf16);
                var scope = TensorScope.open()) {
            Tensor hidden = model.forward(ids(expected));
            assertThat(Tensors.dtype(hidden)).isEqualTo(torch.ScalarType.BFloat16);
            assertThat(Fixtures.maxDifference(hidden, expected.load("text.last_hidden_state")))
                    .isLessThan(0.1);
        }
    }

    @Test
    void fiftyPassesLeaveNothingBehind() {
        SafetensorsFile stages = stages("sd1");
        long[][] ids = ids(stages);
        long before = TensorScope.liveObjects();
        try (var model = load("sd1", config("sd1"), AttentionKernel.EFFICIENT, Placement.CPU_FP32)) {
            long loaded = TensorScope.liveObjects();
            for (int pass = 0; pass < 50; pass++) {
                model.forward(ids).close();
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hidden_act | gelu_new | 'hidden_act' is \"gelu_new\"; supported: \"quick_gelu\", \"gelu\"",
                "model_type | t5 | 'model_type' is \"t5\"; supported: \"clip_text_model\"",
                "num_attention_heads | 3 | 'num_attention_heads' is 3; supported: a divisor of hidden_size, 32",
                "rotary | 1 | Unknown in"
            })
    void unsupportedSettingIsNamed(String key, String value, String message) {
        Object parsed = value.matches("\\d+") ? (Object) Integer.valueOf(value) : value;
        Config changed = config("sd1").with(key, parsed);
        assertThatThrownBy(() -> load("sd1", changed, AttentionKernel.NAIVE, Placement.CPU_FP32))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("text_encoder/config.json")
                .hasMessageContaining(message)
                .hasMessageContaining("'" + key + "'");
    }

    @Test
    void idOutsideTheVocabularyIsRefused() {
        try (var model = load("sd1", config("sd1"), AttentionKernel.NAIVE, Placement.CPU_FP32)) {
            assertThatThrownBy(() -> model.forward(new long[][] {{49407}}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("49407 is not in a vocabulary of 994");
            assertThatThrownBy(() -> model.forward(new long[1][78]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Not 1 to 77 tokens: 78");
        }
    }
}
