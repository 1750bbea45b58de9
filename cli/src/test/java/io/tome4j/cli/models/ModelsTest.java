package io.tome4j.cli.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsTest {
    @TempDir
    Path folder;

    @Test
    void checkpointsInAFolderAreListed() throws IOException {
        Path fixtures = Program.tinyModel().getParent();
        Program text = Program.run("models", fixtures);
        assertThat(text.status()).isZero();
        assertThat(text.out()).contains("tiny-sd1", "tiny-sd2", "MB");
        Program program = Program.run("models", fixtures, "--format", "json");
        JsonNode models = program.json().get("models");
        assertThat(models).anyMatch(model -> model.get("path").asText().endsWith("tiny-sd1"));
    }

    @Test
    void singleFilesAreListedAlsoWhereTheWebUiHasThem() throws IOException {
        Path models = Files.createDirectories(folder.resolve("models/Stable-diffusion"));
        Path unet = Program.tinyModel().resolve("unet/diffusion_pytorch_model.safetensors");
        Path file = Files.copy(unet, models.resolve("my model.safetensors"));
        Files.writeString(models.resolve("damaged.safetensors"), "not one");
        JsonNode found = Program.run("models", "--models-dir", folder, "--format", "json")
                .json()
                .get("models");
        assertThat(found).anyMatch(model -> model.get("model").asText().equals(file.toString()));
        assertThat(found).noneMatch(model -> model.get("model").asText().contains("damaged"));
        assertThat(Program.run("models", "--models-dir", folder.resolve("none")).err())
                .contains("There is no folder");
    }

    @Test
    void whatTheEmbeddedModelDrawsIsListed() throws IOException {
        assertThat(Program.run("models", "--motifs").out().lines())
                .hasSize(1592)
                .contains("a red apple", "an airplane");
        JsonNode json = Program.run("models", "--motifs", "--format", "json").json();
        assertThat(json.get("model").asText()).isEqualTo("tome4j-emoji");
        assertThat(json.get("motifs")).hasSize(1592);
        Program.run("models", "--motifs", folder)
                .assertIsUsageError("models", "--motifs are those of the embedded model");
    }

    @Test
    void aFolderThatIsNotThereFails() {
        Program program = Program.run("models", folder.resolve("none"));
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("There is no folder");
    }
}
