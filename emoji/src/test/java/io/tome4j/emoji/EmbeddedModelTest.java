package io.tome4j.emoji;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.tome4j.checkpoint.CheckpointSource;
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

    /** The weights are made by emoji/training, and until they are there all else must build. */
    private static void assumeThatThereAreWeights() {
        assumeThat(EmbeddedModelTest.class.getResource("model/tome4j-emoji/model_index.json"))
                .isNotNull();
    }

    @Test
    void theShippedModelIsACheckpointWithUsableDefaults() {
        assumeThatThereAreWeights();
        EmbeddedModel model = EmbeddedModel.shipped();
        assertThat(model.width()).isEqualTo(512);
        assertThat(model.height()).isEqualTo(512);
        assertThat(model.steps()).isPositive();
        assertThat(model.guidanceScale()).isPositive();
        assertThat(model.description()).isNotBlank();
        Path folder = model.folder(temp);
        assertThat(folder).hasFileName(model.name());
        assertThat(CheckpointSource.isSupported(folder)).isTrue();
    }

    @Test
    void theShippedModelStaysSmall() {
        assumeThatThereAreWeights();
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
