package io.tome4j.checkpoint.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that fit in part, not at all, or are something else. */
class LoraFileTest {
    private static final String BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0.";
    private static final String KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_";

    @TempDir
    private Path folder;

    /** A model's tensors by name and shape; none is ever loaded. */
    private record Shapes(Map<String, long[]> shapes) implements StoredTensors {
        @Override
        public Set<String> names() {
            return shapes.keySet();
        }

        @Override
        public long[] shape(String name) {
            return shapes.getOrDefault(name, new long[0]);
        }

        @Override
        public Tensor load(String name) {
            return torch.zeros(shape(name), Tensors.fp32());
        }

        @Override
        public String origin(String name) {
            return "a model of shapes";
        }
    }

    /** A UNet whose cross-attention sees texts of this size, and its text encoder. */
    private static List<LoraTarget> model(long textSize) {
        Map<String, long[]> unet = new LinkedHashMap<>();
        unet.put(BLOCK + "attn1.to_q.weight", new long[] {8, 8});
        unet.put(BLOCK + "attn2.to_k.weight", new long[] {8, textSize});
        unet.put("conv_in.weight", new long[] {8, 9, 3, 3});
        unet.put("conv_in.bias", new long[] {8});
        Map<String, long[]> text = Map.of("text_model.encoder.layers.0.self_attn.q_proj.weight", new long[] {16, 16});
        return List.of(
                new LoraTarget("unet", new Shapes(unet), Map.of()),
                new LoraTarget("text_encoder", new Shapes(text), Map.of()));
    }

    private LoraFile file(Object... namesAndShapes) {
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new HashMap<>();
            for (int i = 0; i < namesAndShapes.length; i += 2) {
                tensors.put((String) namesAndShapes[i], torch.ones((long[]) namesAndShapes[i + 1], Tensors.fp32()));
            }
            Path path = folder.resolve("style.safetensors");
            SafetensorsWriter.write(path, tensors);
            return LoraFile.open(path);
        }
    }

    private static long[] shape(long... sizes) {
        return sizes;
    }

    private LoraFile lora(String module, long in, long out) {
        return file(module + ".lora_down.weight", shape(2, in), module + ".lora_up.weight", shape(out, 2));
    }

    @Test
    void whatFitsNothingIsListed() {
        LoraFile file = file(
                KOHYA + "attn1_to_q.lora_down.weight",
                shape(2, 8),
                KOHYA + "attn1_to_q.lora_up.weight",
                shape(8, 2),
                KOHYA + "attn9_to_q.lora_down.weight",
                shape(2, 8),
                KOHYA + "attn9_to_q.lora_up.weight",
                shape(8, 2),
                "something.else",
                shape(1),
                "lonely.alpha",
                shape());
        assertThat(LoraMatch.of(file, model(768)).leftOut())
                .containsExactlyInAnyOrder(
                        KOHYA + "attn9_to_q.lora_down.weight",
                        KOHYA + "attn9_to_q.lora_up.weight",
                        "something.else",
                        "lonely.alpha");
    }

    @Test
    void whatIsThereUnderTwoNamesIsAddedOnce() {
        String kohya = KOHYA + "attn1_to_q";
        String peft = "unet." + BLOCK + "attn1.to_q";
        LoraMatch match = LoraMatch.of(
                file(
                        kohya + ".lora_down.weight",
                        shape(2, 8),
                        kohya + ".lora_up.weight",
                        shape(8, 2),
                        peft + ".lora_A.weight",
                        shape(2, 8),
                        peft + ".lora_B.weight",
                        shape(8, 2)),
                model(768));
        Map<String, List<LoraChange>> changes = new HashMap<>();
        match.addTo(changes, "unet", 1);
        assertThat(changes.get(BLOCK + "attn1.to_q.weight")).hasSize(1);
        assertThat(match.leftOut()).containsExactlyInAnyOrder(peft + ".lora_A.weight", peft + ".lora_B.weight");
    }

    @Test
    void ifNothingFitsItIsAnError() {
        assertThatThrownBy(() -> LoraMatch.of(lora("lora_unet_nowhere", 8, 8), model(768)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("style.safetensors")
                .hasMessageContaining("lora_unet_nowhere")
                .hasMessageContaining("Nothing");
    }

    @ParameterizedTest
    @CsvSource({
        "2048, 768, Stable Diffusion XL, Stable Diffusion 1.x",
        "1024, 768, Stable Diffusion 2.x, Stable Diffusion 1.x",
        "768, 2048, Stable Diffusion 1.x, Stable Diffusion XL",
        "1280, 2048, the refiner of Stable Diffusion XL, Stable Diffusion XL"
    })
    void aFileForAnotherFamilySaysForWhich(long ofFile, long ofModel, String family, String modelsFamily) {
        assertThatThrownBy(() -> LoraMatch.of(lora(KOHYA + "attn2_to_k", ofFile, 8), model(ofModel)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is for " + family + " (text embeddings of " + ofFile + ")")
                .hasMessageContaining("the model is " + modelsFamily);
    }

    @ParameterizedTest
    @CsvSource({
        "lora_te2_text_model_encoder_layers_0_self_attn_q_proj, Stable Diffusion XL",
        "lora_unet_down_blocks_2_attentions_0_transformer_blocks_3_attn1_to_q, Stable Diffusion XL",
        "lora_unet_double_blocks_0_img_attn_qkv, Flux",
        "transformer.single_transformer_blocks.0.attn.to_q, Flux",
        "lora_unet_joint_blocks_0_x_block_attn_qkv, Stable Diffusion 3"
    })
    void namesTellTheFamilyToo(String module, String family) {
        assertThatThrownBy(() -> LoraMatch.of(lora(module, 8, 8), model(768)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is for " + family);
    }

    @Test
    void aShapeThatFitsNotIsSaid() {
        assertThatThrownBy(() -> LoraMatch.of(lora(KOHYA + "attn1_to_q", 24, 8), model(32)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("another model")
                .hasMessageContaining("[8, 24]")
                .hasMessageContaining("[8, 8]");
    }

    @ParameterizedTest
    @CsvSource({
        "oft_blocks, OFT",
        "oft_diag, OFT",
        "oft_R.default.weight, OFT",
        "boft_R.default, BOFT",
        "a1.weight, GLoRA"
    })
    void otherKindsAreNamedAndRefused(String end, String kind) {
        assertThatThrownBy(() -> file(KOHYA + "attn1_to_q." + end, shape(2, 8)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(kind)
                .hasMessageContaining("style.safetensors");
    }

    @Test
    void aFileThatIsNoLoraIsRefused() {
        assertThatThrownBy(() -> file("conv_in.weight", shape(8, 4, 3, 3)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is no LoRA")
                .hasMessageContaining("conv_in.weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora_up.weight", "lora_down.weight"})
    void halfAModuleIsDamage(String half) {
        assertThatThrownBy(() -> LoraMatch.of(file(KOHYA + "attn1_to_q." + half, shape(8, 8)), model(32)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is missing")
                .hasMessageContaining("damaged");
    }

    @Test
    void factorsOfDifferentRanksAreDamage() {
        LoraFile file = file(
                KOHYA + "attn1_to_q.lora_down.weight", shape(2, 8), KOHYA + "attn1_to_q.lora_up.weight", shape(8, 3));
        assertThatThrownBy(() -> LoraMatch.of(file, model(32)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("do not fit together");
    }

    @Test
    void twoAdaptersInOneFileAreRefused() {
        assertThatThrownBy(() -> file(
                        "unet." + BLOCK + "attn1.to_q.lora_A.one.weight", shape(2, 8),
                        "unet." + BLOCK + "attn1.to_q.lora_A.two.weight", shape(2, 8)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("two adapters");
    }

    @Test
    void truncatedFilesAndPicklesAreRefused() throws IOException {
        Path whole = lora(KOHYA + "attn1_to_q", 8, 8).path();
        byte[] bytes = Files.readAllBytes(whole);
        Path cut = Files.write(folder.resolve("cut.safetensors"), Arrays.copyOf(bytes, bytes.length - 5));
        assertThatThrownBy(() -> LoraFile.open(cut))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("truncated");
        Path pickle = Files.write(
                folder.resolve("pickle.safetensors"), new byte[] {(byte) 0x80, 2, '}', 'q', 0, '.', 0, 0, 0});
        assertThatThrownBy(() -> LoraFile.open(pickle))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is a pickle");
    }

    @Test
    void aFirstConvolutionWithMoreInputsKeepsTheOthers() {
        LoraFile file = file(
                "lora_unet_conv_in.lora_down.weight",
                shape(2, 4, 3, 3),
                "lora_unet_conv_in.lora_up.weight",
                shape(8, 2, 1, 1));
        Map<String, List<LoraChange>> changes = new HashMap<>();
        LoraMatch.of(file, model(32)).addTo(changes, "unet", 1);
        LoraWeights weights = new LoraWeights(model(32).get(0).tensors());
        weights.change(changes);
        try (var scope = TensorScope.open()) {
            Tensor sum = weights.load("conv_in.weight", new long[] {8, 9, 3, 3});
            assertThat(Tensors.floats(Tensors.slice(sum, 1, 0, 4))).containsOnly(2);
            assertThat(Tensors.floats(Tensors.slice(sum, 1, 4, 9))).containsOnly(0);
        }
    }

    @Test
    void theHashIsThatOfTheTensorsAlone() {
        Path plain = lora(KOHYA + "attn1_to_q", 8, 8).path();
        String hash = LoraFile.open(plain).hash();
        SafetensorsFile file = SafetensorsFile.open(plain);
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new HashMap<>();
            file.names().forEach(name -> tensors.put(name, file.load(name)));
            SafetensorsWriter.write(folder.resolve("titled.safetensors"), tensors, Map.of("ss_title", "a title"));
        }
        // printf of 32 floats of 1, sha256sum
        assertThat(hash).isEqualTo("b638277a8690");
        assertThat(LoraFile.open(folder.resolve("titled.safetensors")).hash()).isEqualTo(hash);
    }
}
