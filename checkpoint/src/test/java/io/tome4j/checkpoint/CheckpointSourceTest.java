package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointSourceTest {
    @TempDir
    Path folder;

    @Test
    void folderThatExistsIsTaken() throws IOException {
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\":\"StableDiffusionPipeline\"}");
        assertThat(resolve(folder.toString()).path()).isEqualTo(folder);
    }

    @Test
    void folderOfAnotherPipelineIsRefused() throws IOException {
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\":\"FluxPipeline\"}");
        assertThatThrownBy(() -> resolve(folder.toString()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is a FluxPipeline, which tome4j does not support");
    }

    @Test
    void theKindIsTheOneThatHasThePipeline() throws IOException {
        CheckpointKind other = new CheckpointKind(
                "Flux", List.of("FluxPipeline"), Map.of(), List.of(), List.of("tokenizer_2"), List.of(), path -> {});
        List<CheckpointKind> kinds = List.of(FakeHub.KINDS.get(0), other);
        Path file = folder.resolve("model_index.json");
        Files.writeString(file, "{\"_class_name\":\"FluxPipeline\"}");
        ModelIndex index = ModelIndex.read(file);
        assertThat(CheckpointKind.of(index, kinds, "here")).isSameAs(other);
        assertThat(CheckpointSource.isSupported(folder, kinds)).isTrue();
        assertThat(CheckpointSource.isSupported(folder, FakeHub.KINDS)).isFalse();
        assertThat(ModelFiles.of(other).small(List.of("tokenizer/vocab.json", "tokenizer_2/vocab.json")))
                .containsExactly("tokenizer_2/vocab.json");
    }

    private static final CheckpointKind WITH_PARTS = new CheckpointKind(
            "Tiny",
            List.of("TinyPipeline"),
            Map.of("unet", Set.of("UNet2D"), "scheduler", Set.of()),
            List.of(),
            List.of(),
            List.of(),
            path -> {});

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "TinyPipeline | 'unet':['diffusers','UNet2D'],'scheduler':['diffusers','Any'] |",
                "TinyPipeline | 'unet':['x','UNet2D'],'scheduler':['x','Any'],'other':['x','Y'],'safety_checker':3 |",
                "TinyImg2ImgPipeline | 'unet':['x','UNet2D'],'scheduler':['x','Any'],'controlnet':['x','Y'] |",
                "TinyPipeline | 'unet':['x','UNet3D'],'scheduler':['x','Any'] | names a UNet3D as its unet, where UNet2D",
                "TinyPipeline | 'unet':[null,null],'scheduler':['x','Any'] | names no unet",
                "TinyPipeline | 'unet':['x','UNet2D'] | names no scheduler",
                "BigPipeline | 'unet':['x','UNet2D'],'scheduler':['x','Any'],'text_encoder_2':['x','Y'] | is a BigPipeline",
                "BigPipeline | 'unet':['x','UNet3D'],'scheduler':['x','Any'] | is a BigPipeline, which tome4j does not",
            })
    void theClassesOfThePartsDecide(String pipeline, String parts, String message) throws IOException {
        Path file = folder.resolve("model_index.json");
        Files.writeString(file, ("{'_class_name':'" + pipeline + "'," + parts + "}").replace('\'', '"'));
        ModelIndex index = ModelIndex.read(file);
        if (message == null) {
            assertThat(CheckpointKind.of(index, List.of(WITH_PARTS), "here")).isSameAs(WITH_PARTS);
        } else {
            assertThatThrownBy(() -> CheckpointKind.of(index, List.of(WITH_PARTS), "here"))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining(message);
        }
        assertThat(WITH_PARTS.includes(index)).isEqualTo(message == null);
    }

    @Test
    void singleFileIsRefusedWithTheWayToConvertIt() throws IOException {
        Path file = Files.createFile(folder.resolve("model.ckpt"));
        assertThatThrownBy(() -> resolve(file.toString()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("from_single_file(file).save_pretrained(folder)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"./missing", "/no/such/folder", "a/b/c", "a//b", "a--b/c", "", "org/name@", "org/na me"})
    void whatIsNeitherIsRefused(String text) {
        Path base = folder; // "" as a path is the working folder, which is no checkpoint either
        assertThatThrownBy(() -> resolve(text.isEmpty() ? base.resolve("x/y/z").toString() : text))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is neither a folder nor a model's id on the hub");
    }

    @ParameterizedTest
    @ValueSource(strings = {"org/name", "name", "org/name-v1.5", "org/name@main", "org/name@refs/pr/1"})
    void idsGoToTheHub(String text) {
        assertThatThrownBy(() -> resolve(text))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("HF_HUB_OFFLINE is set, and the model " + text.replaceFirst("@.*", ""));
    }

    @Test
    void twoRevisionsAreRefused() {
        assertThatThrownBy(() -> CheckpointSource.resolve(
                        "org/name@one",
                        FakeHub.KINDS,
                        FetchOptions.DEFAULT.revision("two"),
                        offline(),
                        DownloadListener.SILENT))
                .isInstanceOf(TomeException.class)
                .hasMessage("Two revisions of org/name are asked for: 'one' and 'two'.");
    }

    private HubSettings offline() {
        return HubSettings.of(Map.of("HF_HUB_OFFLINE", "1"), folder);
    }

    private CheckpointFolder resolve(String text) {
        return CheckpointSource.resolve(text, FakeHub.KINDS, FetchOptions.DEFAULT, offline(), DownloadListener.SILENT);
    }
}
