package io.tome4j.cli.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.pixels.ImageFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that networks guide by images of their own: ControlNets, T2I-Adapters, IP-Adapters. */
class GuidedImageTest {
    private static final Path FIXTURES = Path.of(System.getProperty("tome4j.fixtures"));
    private static final Path ADAPTER = FIXTURES.resolve("t2i-adapter/full");
    private static final Path PROMPTER = FIXTURES.resolve("ip-adapter/sd1-plain.safetensors");

    @TempDir
    Path folder;

    private Path image(String name) throws IOException {
        Path copy = folder.resolve(Path.of(name).getFileName().toString());
        return Files.exists(copy) ? copy : Files.copy(FIXTURES.resolve(name), copy);
    }

    private Program generate(Object... args) {
        List<Object> all = new ArrayList<>(List.of("generate", "x", "--model", Program.tinyModel(), "--dtype", "fp32"));
        all.addAll(List.of("--steps", 2, "--width", 64, "--height", 64, "--out", folder.resolve("out.png")));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void allGuidesStandInTheJsonAndAreFoundAgain() throws IOException {
        Program program = generate(
                "--controlnet",
                FIXTURES.resolve("controlnet/sd1"),
                "--control-image",
                image("controlnet/lines.png"),
                "--t2i-adapter",
                ADAPTER,
                "--t2i-image",
                image("t2i-adapter/colours.png"),
                "--t2i-scale",
                0.7,
                "--ip-adapter",
                PROMPTER,
                "--ip-adapter-image",
                image("ip-adapter/wide.png"),
                "--ip-adapter-image",
                image("ip-adapter/tall.png"),
                "--format",
                "json");
        JsonNode sources = program.json().get("sources");
        assertThat(sources.at("/control_images/0/name").textValue()).isEqualTo("lines.png");
        assertThat(sources.at("/t2i_images/0/t2i_adapter").textValue()).isEqualTo(ADAPTER.toString());
        assertThat(sources.at("/ip_adapter_images/1/name").textValue()).isEqualTo("tall.png");

        Path out = folder.resolve("out.png");
        Path again = folder.resolve("again.png");
        Program repeated = Program.run(
                "generate", "--model", Program.tinyModel(), "--dtype", "fp32", "--like", out, "--out", again);
        assertThat(repeated.status()).as(repeated.err()).isZero();
        assertThat(ImageFiles.read(again)).isEqualTo(ImageFiles.read(out));
        assertThat(GenerationParameters.read(again)).isEqualTo(GenerationParameters.read(out));
    }

    @Test
    void whatDoesNotFitIsAUsageErrorThatNamesTheOption() throws IOException {
        Path colours = image("t2i-adapter/colours.png");
        generate("--t2i-adapter", FIXTURES.resolve("t2i-adapter/grey"), "--t2i-image", colours)
                .assertIsUsageError("generate", "--t2i-image has colours");
        generate("--t2i-adapter", ADAPTER).assertIsUsageError("generate", "--t2i-image 0 times");
        generate("--ip-adapter", ADAPTER.resolve("x.safetensors"), "--ip-adapter-image", colours)
                .assertIsUsageError("generate", "--ip-adapter-encoder is missing");
        Program other = generate("--t2i-adapter", FIXTURES.resolve("t2i-adapter/xl"), "--t2i-image", colours);
        assertThat(other.status()).isNotZero();
        assertThat(other.err()).contains("does not fit the model").doesNotContain("\tat ");
    }

    @Test
    void theFileItselfIsTold() throws IOException {
        Path weights = ADAPTER.resolve("diffusion_pytorch_model.safetensors");
        assertThat(Program.run("info", weights, "--format", "json")
                        .json()
                        .get("kind")
                        .textValue())
                .isEqualTo("t2i_adapter");
        assertThat(Program.run("info", PROMPTER, "--format", "json")
                        .json()
                        .get("use")
                        .textValue())
                .contains("--ip-adapter");
    }
}
