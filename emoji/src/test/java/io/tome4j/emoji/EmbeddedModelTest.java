package io.tome4j.emoji;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedModelTest {
    @TempDir
    Path temp;

    @Test
    void theShippedModelIsACheckpointWithUsableDefaults() {
        EmbeddedModel model = EmbeddedModel.shipped();
        assertThat(model.width()).isEqualTo(512);
        assertThat(model.height()).isEqualTo(512);
        assertThat(model.steps()).isPositive();
        assertThat(model.guidanceScale()).isPositive();
        assertThat(model.description()).isNotBlank();
        Path folder = model.folder(temp);
        assertThat(folder).hasFileName(model.name());
        assertThat(CheckpointFolder.open(folder).modelIndex().pipelineClass()).isEqualTo("StableDiffusionPipeline");
    }

    @Test
    void theShippedModelStaysSmall() {
        assertThat(EmbeddedModel.shipped().bytes()).isBetween(1_000_000L, 30_000_000L);
    }

    @Test
    void aBuildWithoutTheModelSaysSo() throws IOException {
        try (var empty = new URLClassLoader(new URL[] {temp.toUri().toURL()}, null)) {
            assertThatThrownBy(() -> EmbeddedModel.in(empty))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("io/tome4j/emoji/model/model.json");
        }
    }

    @Test
    void aBuildWithoutItsWeightsStillDescribesIt() throws IOException {
        Path settings = temp.resolve("io/tome4j/emoji/model/model.json");
        Files.createDirectories(settings.getParent());
        try (var in = EmbeddedModel.class.getResourceAsStream("model/model.json")) {
            Files.copy(in, settings);
        }
        try (var loader = new URLClassLoader(new URL[] {temp.toUri().toURL()}, null)) {
            EmbeddedModel model = EmbeddedModel.in(loader);
            assertThat(model.isThere()).isFalse();
            assertThat(model.name()).isEqualTo("tome4j-emoji");
            assertThatThrownBy(model::folder)
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("tome4j-emoji/model_index.json is not on the class path");
        }
    }

    @Test
    void aMissingSettingIsNamed() throws IOException {
        Path settings = temp.resolve("io/tome4j/emoji/model/model.json");
        Files.createDirectories(settings.getParent());
        Files.writeString(settings, "{\"name\": \"x\", \"description\": \"y\", \"width\": 8}");
        try (var loader = new URLClassLoader(new URL[] {temp.toUri().toURL()}, null)) {
            assertThatThrownBy(() -> EmbeddedModel.in(loader))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("'height'");
        }
    }
}
