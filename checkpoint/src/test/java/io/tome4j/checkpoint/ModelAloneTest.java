package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that transformers saves in one folder, from the hub. */
class ModelAloneTest {
    @TempDir
    Path cache;

    private FakeHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
        hub.files.clear();
        for (String file :
                List.of("README.md", "config.json", "preprocessor_config.json", "vocab.json", "merges.txt")) {
            hub.files.put(file, "{}".getBytes(StandardCharsets.UTF_8));
        }
        hub.files.put("model.safetensors", FakeHub.safetensors(7));
        hub.files.put("pytorch_model.bin", FakeHub.safetensors(8));
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private CheckpointFolder.Component fetch(HubSettings settings) {
        List<String> configs = List.of("config.json", "preprocessor_config.json");
        return CheckpointSource.resolveAlone(
                FakeHub.ID, configs, FetchOptions.DEFAULT, settings, DownloadListener.SILENT);
    }

    private CheckpointFolder.Component fetch() {
        return fetch(hub.settings(cache, ""));
    }

    @Test
    void onlyTheFilesThatAreNeededAreFetchedAndTheyAreEnoughOffline() throws IOException {
        try (var files = Files.list(fetch().path())) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "model.safetensors");
        }
        assertThat(fetch(hub.settings(cache, "").offline(true)).weights().names())
                .containsExactly("x");
    }

    @Test
    void whatTheModelLacksIsSaidBeforeTheWeightsAreFetched() {
        hub.files.remove("preprocessor_config.json");
        assertThatThrownBy(this::fetch)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is incomplete: it has no preprocessor_config.json");
        hub.files.remove("config.json");
        assertThatThrownBy(this::fetch).hasMessageContaining("is not a transformers model: it has no config.json");
        assertThat(hub.count("GET", "model.safetensors")).isZero();
    }

    @Test
    void weightsInPicklesOnlyAreRefused() {
        hub.files.remove("model.safetensors");
        assertThatThrownBy(this::fetch).isInstanceOf(TomeException.class).hasMessageContaining("pytorch_model.bin");
    }

    @Test
    void whatIsMissingInTheCacheIsSaidOffline() throws IOException {
        Path folder = fetch().path();
        Files.delete(folder.resolve("merges.txt"));
        assertThatThrownBy(() -> fetch(hub.settings(cache, "").offline(true)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("merges.txt is missing from");
    }
}
