package io.tome4j.models.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

    /** As files have it that were saved from all of CLIP, or from its text encoder with the projection. */
    @Test
    void otherPartsOfClipInTheFileAreLeftAside(@TempDir Path folder) {
        SafetensorsFile plain = SafetensorsFile.open(Fixtures.path("tiny-sd1/text_encoder/model.safetensors"));
        Path file = folder.resolve("model.safetensors");
        Config config = config("sd1").with("architectures", List.of("CLIPTextModelWithProjection"));
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new TreeMap<>();
            plain.names().forEach(name -> tensors.put(name, plain.load(name)));
            tensors.put("text_projection.weight", Tensors.randn(Tensors.generator(1), 32, 32));
            tensors.put("vision_model.embeddings.class_embedding", Tensors.randn(Tensors.generator(1), 32));
            tensors.put("visual_projection.weight", Tensors.randn(Tensors.generator(1), 32, 32));
            tensors.put("logit_scale", Tensors.randn(Tensors.generator(1), 1));
            SafetensorsWriter.write(file, tensors);
            Weights weights = Weights.of(SafetensorsFile.open(file), Placement.CPU_FP32);
            try (var model = ClipTextModel.of(weights, config, AttentionKernel.NAIVE);
                    var same = load("sd1", config("sd1"), AttentionKernel.NAIVE, Placement.CPU_FP32)) {
                long[][] ids = ids(stages("sd1"));
                assertThat(Fixtures.maxDifference(model.forward(ids), same.forward(ids)))
                        .isZero();
            }
        }
    }

    @Test
    void configOfAllOfClipGivesThatOfTheTextEncoder() throws IOException {
        String text = Files.readString(Fixtures.path("tiny-sd1/text_encoder/config.json"));
        Config whole = Config.parse("{\"model_type\":\"clip\",\"text_config\":" + text + "}", "all of CLIP");
        try (var model = load("sd1", whole, AttentionKernel.NAIVE, Placement.CPU_FP32)) {
            assertThat(model.vocabSize()).isEqualTo(994);
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
                "vocab_size | 0 | 'vocab_size' is 0; supported: an integer from 1",
                "max_position_embeddings | 1000000000 | 'max_position_embeddings' is 1000000000; supported: an integer from 1",
                "hidden_size | 0 | 'hidden_size' is 0; supported: 1 to",
                "layer_norm_eps | 0 | 'layer_norm_eps' is 0; supported: a number above 0",
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
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("the token 49407, and the text encoder knows those from 0 to 993");
            assertThatThrownBy(() -> model.forward(new long[1][78]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Not 1 to 77 tokens: 78");
        }
    }
}
