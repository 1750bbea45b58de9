package io.tome4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models by their names in a folder of models. */
class ModelsFolderTest {
    @TempDir
    Path folder;

    @BeforeEach
    void makeModels() throws IOException {
        file("one.safetensors");
        file("anime/two.safetensors");
        file("anime/twice.safetensors");
        file("other/twice.safetensors");
        file("whole/model_index.json");
    }

    private Path file(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "{}");
    }

    private String resolved(String name) {
        return folder.toAbsolutePath()
                .relativize(Path.of(ModelsFolder.of(folder).resolve(name)))
                .toString()
                .replace('\\', '/');
    }

    @Test
    void aNameMeansAFileWithItsEndingOrWithout() {
        assertThat(resolved("one")).isEqualTo("one.safetensors");
        assertThat(resolved("one.safetensors")).isEqualTo("one.safetensors");
        assertThat(resolved("one.safetensors [0123abcdef]")).isEqualTo("one.safetensors");
        assertThat(resolved("two")).isEqualTo("anime/two.safetensors");
        assertThat(resolved("other/twice")).isEqualTo("other/twice.safetensors");
        assertThat(resolved("whole")).isEqualTo("whole");
    }

    @Test
    void theWebUisModelsLieInItsOwnPlace() throws IOException {
        file("models/Stable-diffusion/three.safetensors");
        assertThat(resolved("three")).isEqualTo("models/Stable-diffusion/three.safetensors");
        assertThatThrownBy(() -> resolved("one")).isInstanceOf(OptionException.class);
    }

    @Test
    void whatIsNotThereOrNotAloneIsSaidWithWhatIs() {
        assertThatThrownBy(() -> resolved("twice"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("several")
                .hasMessageContaining("anime");
        assertThatThrownBy(() -> resolved("four"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("'four'")
                .hasMessageContaining("one.safetensors");
        assertThatThrownBy(() -> ModelsFolder.of(folder.resolve("nowhere"))).isInstanceOf(TomeException.class);
    }

    @Test
    void idsOfTheHubAndPathsStayAsTheyAre() throws IOException {
        ModelsFolder models = ModelsFolder.of(folder);
        assertThat(models.resolve("owner/model")).isEqualTo("owner/model");
        Path elsewhere = folder.resolve("whole/model_index.json");
        assertThat(models.resolve(elsewhere.toString())).isEqualTo(elsewhere.toString());
    }
}
