package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckpointFolderTest {
    private static final String INDEX = "{\"_class_name\":\"StableDiffusionPipeline\",\"_diffusers_version\":\"0.30\","
            + "\"unet\":[\"diffusers\",\"UNet2DConditionModel\"],\"safety_checker\":[null,null],"
            + "\"requires_safety_checker\":false}";
    private static final String TWO_SHARDS = "{\"metadata\":{\"total_size\":8},\"weight_map\":"
            + "{\"a\":\"model-00001-of-00002.safetensors\",\"b\":\"model-00002-of-00002.safetensors\"}}";

    @TempDir
    Path folder;

    @BeforeEach
    void checkpointWithAUnet() throws IOException {
        write("model_index.json", INDEX);
        write("unet/config.json", "{\"in_channels\":4}");
    }

    @Test
    void componentGivesItsConfigAndWeights() {
        RawSafetensors.one(folder.resolve("unet/diffusion_pytorch_model.safetensors"), "x", 3);
        var unet = CheckpointFolder.open(folder).component("unet");
        assertThat(unet.config().integer("in_channels")).isEqualTo(4);
        assertThat(value(unet.weights(), "x")).isEqualTo(3);
    }

    @Test
    void schedulerHasAConfigOfAnotherName() throws IOException {
        write("scheduler/scheduler_config.json", "{\"steps_offset\":1}");
        var scheduler = CheckpointFolder.open(folder).component("scheduler");
        assertThat(scheduler.config().integer("steps_offset")).isEqualTo(1);
    }

    @Test
    void modelIndexNamesPipelineAndComponents() {
        ModelIndex index = CheckpointFolder.open(folder).modelIndex();
        assertThat(index.pipelineClass()).isEqualTo("StableDiffusionPipeline");
        assertThat(index.components()).containsOnly(java.util.Map.entry("unet", "UNet2DConditionModel"));
    }

    @Test
    void unsupportedPipelineIsNamed() throws IOException {
        write("model_index.json", INDEX.replace("StableDiffusion", "StableDiffusionXL"));
        ModelIndex index = CheckpointFolder.open(folder).modelIndex();
        refused(() -> CheckpointKind.of(index, FakeHub.KINDS, "here"))
                .hasMessage("The checkpoint here is a StableDiffusionXLPipeline, which tome4j does not support."
                        + " Supported: Tiny (StableDiffusionPipeline).");
    }

    @ParameterizedTest
    @CsvSource({
        "fp16, model.fp16.safetensors",
        "fp16, diffusion_pytorch_model.fp16.safetensors",
        "non_ema, model.non_ema.safetensors",
        "'', model.safetensors",
    })
    void variantChoosesTheFile(String variant, String file) {
        RawSafetensors.one(folder.resolve("unet/other.safetensors"), "x", 1);
        RawSafetensors.one(folder.resolve("unet").resolve(file), "x", 2);
        var weights = CheckpointFolder.open(folder, variant).component("unet").weights();
        assertThat(value(weights, "x")).isEqualTo(2);
        assertThat(weights.origin("x")).endsWith(file);
    }

    @ParameterizedTest
    @CsvSource({
        "'', model.safetensors.index.json, model-0000%d-of-00002.safetensors",
        "fp16, model.safetensors.index.fp16.json, model.fp16-0000%d-of-00002.safetensors",
        "fp16, model.safetensors.fp16.index.json, model-0000%d-of-00002.fp16.safetensors",
    })
    void shardsAreOneSource(String variant, String index, String shards) throws IOException {
        String first = String.format(shards, 1);
        String second = String.format(shards, 2);
        write("unet/" + index, "{\"weight_map\":{\"a\":\"" + first + "\",\"b\":\"" + second + "\"}}");
        RawSafetensors.one(folder.resolve("unet").resolve(first), "a", 1);
        RawSafetensors.one(folder.resolve("unet").resolve(second), "b", 2);
        var weights = CheckpointFolder.open(folder, variant).component("unet").weights();
        assertThat(weights.names()).containsExactlyInAnyOrder("a", "b");
        assertThat(value(weights, "a")).isEqualTo(1);
        assertThat(value(weights, "b")).isEqualTo(2);
        assertThat(weights.origin("b")).endsWith(second);
        assertThat(weights.origin("c")).endsWith(index);
    }

    @Test
    void missingShardIsNamed() throws IOException {
        write("unet/model.safetensors.index.json", TWO_SHARDS);
        RawSafetensors.one(folder.resolve("unet/model-00001-of-00002.safetensors"), "a", 1);
        refused(() -> weights("")).hasMessageContaining(": model-00002-of-00002.safetensors. The index says");
    }

    @Test
    void tensorThatIsNotWhereTheIndexSaysIsNamed() throws IOException {
        write("unet/model.safetensors.index.json", TWO_SHARDS);
        RawSafetensors.one(folder.resolve("unet/model-00001-of-00002.safetensors"), "a", 1);
        RawSafetensors.one(folder.resolve("unet/model-00002-of-00002.safetensors"), "c", 1);
        refused(() -> weights(""))
                .hasMessageContaining("The tensor 'b' is not in")
                .hasMessageContaining("model-00002-of-00002.safetensors, where model.safetensors.index.json says");
    }

    @Test
    void tensorThatTheIndexDoesNotNameIsNamed() throws IOException {
        write("unet/model.safetensors.index.json", TWO_SHARDS.replace("00001-of", "00002-of"));
        RawSafetensors.write(
                folder.resolve("unet/model-00002-of-00002.safetensors"),
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                        + "\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                        + "\"c\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
        refused(() -> weights("")).hasMessageContaining("The tensor 'c' is in");
    }

    @ParameterizedTest
    @CsvSource({"{}, has no 'weight_map'", "nonsense, is not valid JSON"})
    void brokenIndexIsNamed(String json, String message) throws IOException {
        write("unet/model.safetensors.index.json", json);
        refused(() -> weights(""))
                .hasMessageContaining("model.safetensors.index.json")
                .hasMessageContaining(message);
    }

    @Test
    void indexCannotPointOutOfItsFolder() throws IOException {
        write("unet/model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../x.safetensors\"}}");
        refused(() -> weights("")).hasMessageContaining("\"../x.safetensors\", which is not the name of a safetensors");
    }

    @Test
    void missingFolderIsNamed() {
        Path missing = folder.resolve("nowhere");
        refused(() -> CheckpointFolder.open(missing)).hasMessage("There is no folder " + missing + ".");
    }

    @Test
    void folderWithoutACheckpointIsRefused() throws IOException {
        Files.delete(folder.resolve("model_index.json"));
        refused(() -> CheckpointFolder.open(folder)).hasMessageContaining("it has no model_index.json. There: unet.");
    }

    @Test
    void missingComponentIsNamedWithWhatIsThere() {
        refused(() -> CheckpointFolder.open(folder).component("vae"))
                .hasMessage("The component 'vae' is missing from the checkpoint " + folder
                        + ": there is no folder of this name. There: model_index.json, unet.");
    }

    @Test
    void missingFileIsNamedWithWhatIsThere() {
        refused(() -> CheckpointFolder.open(folder).component("unet").file("vocab.json"))
                .hasMessageContaining("The file vocab.json is missing from")
                .hasMessageContaining("There: config.json.");
    }

    @Test
    void picklesAreRefused() throws IOException {
        write("unet/diffusion_pytorch_model.bin", "x");
        refused(() -> weights(""))
                .hasMessageContaining("(diffusion_pytorch_model.bin), and tome4j reads no pickle files")
                .hasMessageContaining("safe_serialization=True");
    }

    @Test
    void absentVariantIsNamedWithThoseThatAreThere() {
        RawSafetensors.one(folder.resolve("unet/diffusion_pytorch_model.non_ema.safetensors"), "x", 1);
        RawSafetensors.one(folder.resolve("unet/diffusion_pytorch_model.safetensors"), "x", 1);
        refused(() -> weights("fp16"))
                .hasMessageContaining("no weights of the variant 'fp16' in " + folder.resolve("unet"))
                .hasMessageContaining("There: weights without a variant, the variant 'non_ema'.")
                .extracting(e -> ((TomeException) e).option())
                .isEqualTo("variant");
    }

    @ParameterizedTest
    @CsvSource({"model.fp16.safetensors", "model.safetensors.index.fp16.json"})
    void componentWithoutTheVariantOfOthersGivesItsPlainWeights(String others) throws IOException {
        write("model_index.json", INDEX.replace("{", "{\"text_encoder\":[\"transformers\",\"CLIPTextModel\"],"));
        write("text_encoder/" + others, "{}");
        RawSafetensors.one(folder.resolve("unet/diffusion_pytorch_model.safetensors"), "x", 1);
        assertThat(value(weights("fp16"), "x")).isEqualTo(1);
        write("unet/model.safetensors.index.json", TWO_SHARDS);
        Files.delete(folder.resolve("unet/diffusion_pytorch_model.safetensors"));
        RawSafetensors.one(folder.resolve("unet/model-00001-of-00002.safetensors"), "a", 1);
        RawSafetensors.one(folder.resolve("unet/model-00002-of-00002.safetensors"), "b", 2);
        assertThat(value(weights("fp16"), "b")).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"model_index.json", "unet/config.json", "unet/model.safetensors.index.json"})
    void pointerOfGitLfsInThePlaceOfJsonIsSaidToBeOne(String file) throws IOException {
        write(file, "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n");
        refused(() -> {
                    CheckpointFolder.open(folder).component("unet").config();
                    weights("");
                })
                .hasMessageContaining(file)
                .hasMessageContaining("git lfs pull");
    }

    @ParameterizedTest
    @CsvSource({"model_index.json", "unet/config.json", "unet/model.safetensors.index.json"})
    void textAfterTheJsonIsRefused(String file) throws IOException {
        write(file, INDEX + " trailing");
        refused(() -> {
                    CheckpointFolder.open(folder).component("unet").config();
                    weights("");
                })
                .hasMessageContaining(file + " is not valid JSON");
    }

    @Test
    void jsonThatIsNoFileIsRefusedAtOnce() throws Exception {
        Files.delete(folder.resolve("unet/config.json"));
        Files.createDirectory(folder.resolve("unet/config.json"));
        refused(() -> CheckpointFolder.open(folder).component("unet").config())
                .hasMessageContaining(
                        "The folder " + folder.resolve("unet/config.json") + " lies where a file belongs");
        Files.delete(folder.resolve("model_index.json"));
        Files.createSymbolicLink(folder.resolve("model_index.json"), Path.of("/dev/zero"));
        refused(() -> CheckpointFolder.open(folder)).hasMessageContaining("The pipe or device ");
    }

    @Test
    void weightsThatExistOnlyAsAVariantAreOffered() {
        RawSafetensors.one(folder.resolve("unet/diffusion_pytorch_model.fp16.safetensors"), "x", 1);
        refused(() -> weights(""))
                .hasMessageContaining("no weights without a variant")
                .hasMessageContaining("Ask for the variant 'fp16'.");
    }

    @Test
    void folderWithoutWeightsSaysWhatIsThere() {
        refused(() -> weights("")).hasMessageContaining("nor model.safetensors. There: config.json.");
    }

    private StoredTensors weights(String variant) {
        return CheckpointFolder.open(folder, variant).component("unet").weights();
    }

    private void write(String file, String text) throws IOException {
        Files.createDirectories(folder.resolve(file).getParent());
        Files.writeString(folder.resolve(file), text);
    }

    private static float value(StoredTensors weights, String name) {
        try (var scope = TensorScope.open()) {
            return Tensors.floats(weights.load(name))[0];
        }
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(ThrowingCallable call) {
        return assertThatThrownBy(call).isInstanceOf(TomeException.class);
    }
}
