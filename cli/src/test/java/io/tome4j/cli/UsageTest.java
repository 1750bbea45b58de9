package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UsageTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--ratio -0.1|--ratio is -0.1",
                "--ratio 1.5|--ratio is 1.5",
                "--ratio half|--ratio is 'half': it must be a number",
                "--max-downsample 3|--max-downsample is 3",
                "--sx 0|--sx is 0",
                "--merging maybe|'maybe' is none of on, auto, off",
                "--method merge|--method is 'merge': it must be one of tome, todo, query",
                "--method todo --merge-mlp|--merge-mlp need --method tome or query",
                "--method query --size-weighted|--size-weighted weighs the merged keys",
                "--match-per step|--match-per is 'step': it must be one of block, level",
                "--match-every 0|--match-every is 0",
                "--match-every often|--match-every is 'often': it must be a whole number",
                "--match-precision fp16|--match-precision is 'fp16': it must be one of fp32, bf16, input",
                "--tomesd --match-per level|--mode tomesd is exactly what tomesd does",
                "--tomesd --match-precision fp32|--match-precision",
                "--tomesd --mode seeded|--tomesd is short for --mode tomesd",
                "--steps 0|--steps is 0",
                "--steps many|--steps is 'many': it must be a whole number",
                "--width 100|--width is 100: it must be a multiple of 8, such as 96 or 104",
                "--height -8|--height is -8",
                "--count 0|--count is 0",
                "--guidance NaN|--guidance is NaN",
                "--scheduler ddpm|--scheduler is ddpm: it must be one of pndm, ddim,",
                "--dtype int8|'int8' is none of auto, fp32, bf16, fp16",
                "--attention flash|'flash' is none of naive, efficient",
                "--device tpu|'tpu' is none of auto, cpu, cuda",
                "--seed x|--seed is 'x': it must be a whole number",
                "--out image.jpg|--out is image.jpg: it must end in .png",
                "--steps 2 --seed 1 --steps 3|--steps is given twice",
                "--merge-attn --no-merge-attn|--no-merge-attn is given twice",
                "--seed=1 --seed=2|--seed is given twice",
                "--nonsense|Unknown option: '--nonsense'",
                "apple|put the prompt in quotes"
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        Program program = Program.run(("generate red --model " + Program.tinyModel() + " " + options).split(" "));
        program.assertIsUsageError("generate", message);
        assertThat(program.err()).hasLineCount(1);
    }

    @Test
    void withoutACommandItSaysWhichThereAre() {
        Program program = Program.run();
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("generate, compare, evaluate, tune, bench, models or info");
    }

    @Test
    void helpGroupsTheOptions() {
        Program program = Program.run("generate", "--help");
        assertThat(program.status()).isZero();
        assertThat(program.out()).contains("Model:", "Image:", "Token merging:", "Output:", "--[no-]merge-attn");
        assertThat(program.err()).isEmpty();
    }

    @Test
    void helpNamesTheModelBeforeHowToLoadAndRunIt() {
        for (String command : new String[] {"generate", "compare", "evaluate", "tune"}) {
            assertThat(Program.run(command, "--help").out())
                    .containsSubsequence("--model=", "--revision=", "--variant=", "--device=", "--dtype=")
                    .containsSubsequence("--dtype=", "--attention=", "--no-memory-check");
        }
        assertThat(Program.run("bench", "--help").out())
                .containsSubsequence("--model=", "--weights=", "--revision=", "--variant=", "--device=", "--dtype=");
    }

    @Test
    void whereNothingWouldBeMergedTheOptionIsNamed() {
        Program program = Program.run(
                "generate", "x", "--model", Program.tinyModel(), "--no-merge-attn", "--out", folder.resolve("a.png"));
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("--merge-attn, --merge-crossattn and --merge-mlp are all off");
    }

    @Test
    void aModelThatIsNoFolderFailsWithoutAStackTrace() {
        Program program =
                Program.run("generate", "x", "--model", folder.resolve("none"), "--out", folder.resolve("a.png"));
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("none").doesNotContain("\tat ");
        Program verbose = Program.run(
                "generate", "x", "--verbose", "--model", folder.resolve("none"), "--out", folder.resolve("a.png"));
        assertThat(verbose.err()).contains("\tat io.tome4j");
    }

    @Test
    void anUnwritableOutputIsFoundBeforeAnythingIsLoaded() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        for (Path out : new Path[] {
            folder.resolve("none").resolve("a.png"),
            file.resolve("a.png"),
            Files.createDirectory(folder.resolve("b.png")).resolve("x").resolve("c.png")
        }) {
            Program program = Program.run("generate", "x", "--model", "no/such", "--out", out);
            assertThat(program.status()).isEqualTo(1);
            assertThat(program.err())
                    .contains("Nothing can be written to the folder")
                    .hasLineCount(1);
        }
        Program latents = Program.run(
                "generate",
                "x",
                "--model",
                "no/such",
                "--out",
                folder,
                "--latents",
                folder.resolve("n").resolve("l"));
        assertThat(latents.status()).isEqualTo(1);
        assertThat(latents.err()).contains("does not exist; make it first").hasLineCount(1);
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("file", "b.png");
    }
}
