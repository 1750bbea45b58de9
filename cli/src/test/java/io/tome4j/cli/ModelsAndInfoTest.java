package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsAndInfoTest {
    @TempDir
    Path folder;

    @Test
    void checkpointsInAFolderAreListed() throws IOException {
        Path fixtures = Program.tinyModel().getParent();
        Program text = Program.run("models", fixtures);
        assertThat(text.status()).isZero();
        assertThat(text.out()).contains("tiny-sd1", "tiny-sd2", "MB");
        Program program = Program.run("models", fixtures, "--format", "json");
        JsonNode models = new ObjectMapper().readTree(program.out()).get("models");
        assertThat(models).anyMatch(model -> model.get("path").asText().endsWith("tiny-sd1"));
    }

    @Test
    void aFolderThatIsNotThereFails() {
        Program program = Program.run("models", folder.resolve("none"));
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("There is no folder");
    }

    @Test
    void anImageWithoutParametersFails() throws IOException {
        Path file = Files.writeString(folder.resolve("a.png"), "no image");
        Program program = Program.run("info", file);
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("is not a PNG image").hasLineCount(1);
        assertThat(Program.run("info").status()).isEqualTo(2);
    }
}
