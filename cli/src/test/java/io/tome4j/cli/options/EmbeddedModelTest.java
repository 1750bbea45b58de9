package io.tome4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.emoji.EmbeddedModel;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedModelTest {
    @TempDir
    Path folder;

    @Test
    void withoutAModelTheEmbeddedOneDraws() throws IOException {
        Path file = folder.resolve("apple.png");
        Program program = Program.run(
                "generate",
                "a red apple",
                "--steps",
                2,
                "--width",
                64,
                "--height",
                64,
                "--out",
                file,
                "--format",
                "json");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.err().lines().filter(line -> line.startsWith("Model: ")))
                .singleElement()
                .asString()
                .contains("tome4j-emoji", "emoji", "--model");
        JsonNode json = program.json();
        assertThat(json.get("model").asText()).isEqualTo("tome4j-emoji");
        assertThat(json.at("/merging/ratio").asDouble()).isEqualTo(0.5);
        assertThat(json.at("/merging/tokens_merged").asInt()).isPositive();
        var parameters = GenerationParameters.read(file);
        assertThat(parameters.model()).isEqualTo("tome4j-emoji");
        assertThat(parameters.request().guidanceScale())
                .isEqualTo(EmbeddedModel.shipped().guidanceScale());
        assertThat(Program.run("info", file).out()).contains("Model: tome4j-emoji");
    }

    @Test
    void itsOwnSettingsAreTheDefaultsAndOptionsComeFirst() {
        EmbeddedModel embedded = EmbeddedModel.shipped();
        var chosen = new ModelOptions().choose();
        var request = sampling().request("x", chosen);
        assertThat(request.steps()).isEqualTo(embedded.steps());
        assertThat(request.guidanceScale()).isEqualTo(embedded.guidanceScale());
        assertThat(request.width()).isEqualTo(embedded.width());
        assertThat(request.height()).isEqualTo(embedded.height());
        var given = sampling("--steps", "3", "--height", "64").request("x", chosen);
        assertThat(given.steps()).isEqualTo(3);
        assertThat(given.width()).isEqualTo(embedded.width());
        assertThat(given.height()).isEqualTo(64);
    }

    private static SamplingOptions sampling(String... args) {
        var options = new SamplingOptions();
        Parsed.group(options.group("Image", 1), args);
        return options;
    }

    @Test
    void itGoesByItsNameToo() {
        var options = new ModelOptions();
        options.model = "tome4j-emoji";
        assertThat(options.choose().embedded()).isPresent();
    }

    @Test
    void itHasNoRevisions() {
        Program program = Program.run("generate", "x", "--revision", "main");
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err())
                .contains("--revision", "--model stable-diffusion-v1-5/stable-diffusion-v1-5")
                .hasLineCount(1);
    }

    @Test
    void itIsListedFirst() throws IOException {
        assertThat(Program.run("models").out().lines().findFirst().orElseThrow())
                .startsWith("tome4j-emoji ")
                .contains(" embedded ");
        JsonNode models = Program.run("models", "--format", "json").json().get("models");
        assertThat(models.get(0).get("path").asText()).endsWith("tome4j-emoji");
        assertThat(models.get(0).get("bytes").asLong())
                .isEqualTo(EmbeddedModel.shipped().bytes());
    }
}
