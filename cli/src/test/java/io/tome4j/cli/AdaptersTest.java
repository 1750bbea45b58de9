package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.diffusion.GenerationParameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --lora}, {@code --lora-dir}, {@code --embedding} and {@code --embedding-dir}. */
class AdaptersTest {
    private static final Path LORAS = Path.of(System.getProperty("tome4j.fixtures"), "lora");
    private static final Path EMBEDDINGS = Path.of(System.getProperty("tome4j.fixtures"), "embeddings");

    @TempDir
    Path folder;

    private Program generate(Object... args) {
        List<Object> all = new ArrayList<>(List.of(
                "generate",
                "--model",
                Program.tinyModel(),
                "--steps",
                1,
                "--dtype",
                "fp32",
                "--width",
                64,
                "--height",
                64));
        all.addAll(List.of("--ratio", 0, "--seed", 7, "--out", folder.resolve("x.png")));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void severalFilesAndNamesInThePromptAreAddedAndTold() throws IOException {
        Program program = generate(
                "a robot <lora:peft-scaled:0.2:0.3> of <toy>",
                "--lora",
                LORAS.resolve("kohya.safetensors") + ":0.8:0.5",
                "--lora",
                LORAS.resolve("lycoris.safetensors"),
                "--lora-dir",
                LORAS,
                "--embedding-dir",
                EMBEDDINGS,
                "--format",
                "json");
        assertThat(program.status()).as(program.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(program.out());
        Schemas.assertValid("generate", json);
        assertThat(json.get("prompt").textValue()).isEqualTo("a robot of <toy>");
        assertThat(json.get("loras"))
                .extracting(lora -> lora.get("name").textValue())
                .containsExactly("kohya", "lycoris", "peft-scaled");
        assertThat(json.get("loras").get(0).get("text_weight").doubleValue()).isEqualTo(0.5);
        assertThat(json.get("loras").get(2).get("weight").doubleValue()).isEqualTo(0.3);
        assertThat(json.get("embeddings").get(0).get("name").textValue()).isEqualTo("toy");
        assertThat(GenerationParameters.readText(folder.resolve("x.png")))
                .startsWith("a robot of <toy> <lora:kohya:0.5:0.8> <lora:lycoris:1> <lora:peft-scaled:0.2:0.3>\n")
                .contains("TI hashes: \"toy: ");
        JsonNode info = new ObjectMapper()
                .readTree(Program.run("info", folder.resolve("x.png"), "--format", "json")
                        .out());
        Schemas.assertValid("info", info);
        assertThat(info.get("loras")).isEqualTo(json.get("loras"));
    }

    @Test
    void oneFileAndItsTokenMayBeNamed() {
        Program program = generate("a blob", "--embedding", EMBEDDINGS.resolve("toy.safetensors") + ":blob");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(GenerationParameters.read(folder.resolve("x.png")).request().embeddings())
                .singleElement()
                .extracting(embedding -> embedding.token())
                .isEqualTo("blob");
    }

    @Test
    void aNameWithoutAFolderAsksForIt() {
        Program program = generate("a robot <lora:kohya:0.8>");
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("--lora-dir");
    }

    @Test
    void anUnknownNameSaysWhichAreAlike() {
        Program program = generate("a robot <lora:kohja:0.8>", "--lora-dir", LORAS);
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("--lora").contains("'kohja'").contains("kohya");
    }

    @Test
    void aMissingFileIsSaidBeforeTheModelIsLoaded() throws IOException {
        Program program = generate("a robot", "--lora", "nowhere.safetensors:0.8");
        assertThat(program.status()).isNotZero();
        assertThat(program.err()).contains("nowhere.safetensors").doesNotContain("PyTorch 2.");
        Path damaged = Files.write(folder.resolve("damaged.safetensors"), new byte[20]);
        assertThat(generate("a robot", "--embedding", damaged).err()).contains("damaged.safetensors");
    }
}
