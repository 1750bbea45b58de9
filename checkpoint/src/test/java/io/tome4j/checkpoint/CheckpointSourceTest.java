package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
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
        CheckpointKind other =
                new CheckpointKind("Flux", List.of("FluxPipeline"), List.of(), List.of("tokenizer_2"), List.of());
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
