package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
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
                "--match-per step|--match-per is 'step': it must be one of block, side, level",
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
                "--seed 18446744073709551616|--seed is '18446744073709551616': it must be a whole number",
                "--nonsense|Unknown option: '--nonsense'",
                "apple|put the prompt in quotes"
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        Program program = Program.run(("generate red --model " + Program.tinyModel() + " " + options).split(" "));
        program.assertIsUsageError("generate", message);
        assertThat(program.err()).hasLineCount(1);
    }

    /** The setting that the last of repeated options gives fails last: a range is checked after all of the syntax. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--steps x --sx 0 --steps 2|--sx is 0",
                "--steps 1 --sx 2 --steps=0|--steps is 0",
                "--sx 0 --merge-attn --steps 1 --no-merge-attn --sx 2 --merging on|are all off",
                "--model no/such --merging off --scheduler none --model MODEL --scheduler=ddim --width 9|--width is 9",
            })
    void theLastOfRepeatedOptionsWinsAndTheOthersKeepTheirValues(String options, String message) {
        String all = "generate x --out " + folder.resolve("a.png") + " --model MODEL " + options;
        Program program = Program.run(
                (Object[]) all.replace("MODEL", Program.tinyModel().toString()).split(" "));
        assertThat(program.err()).contains(message);
        assertThat(program.status()).isEqualTo(2);
    }

    @Test
    void listsAreNotCutByTheLast() {
        Program program = Program.run("compare", "x", "--ratios", "0.5", "--ratios", "1.5");
        assertThat(program.err()).contains("--ratios has 1.5");
        assertThat(Program.run("compare", "x", "--ratios", "1.5", "--ratios", "0.5")
                        .err())
                .contains("--ratios has 1.5");
    }

    @Test
    void aPromptThatBeginsWithADashIsNotLost() {
        for (String command : new String[] {"generate", "compare"}) {
            Program program = Program.run(command, "-1 apple", "--model", Program.tinyModel());
            program.assertIsUsageError(command, "'-1 apple' was taken for an option: a prompt that begins with a dash");
            assertThat(program.err()).contains("after --").hasLineCount(1);
            assertThat(Program.run(command, "-apple").err()).contains("'-apple' was taken for an option");
            assertThat(Program.run(command, "x", "-1 apple").err()).contains("'-1 apple' was taken for an option");
            assertThat(Program.run(command, "x", "--nonsense").err()).doesNotContain("taken for an option");
        }
        Program drawn =
                Program.run("generate", "--model", "no/such", "--out", folder.resolve("no/a.png"), "--", "-1 apple");
        assertThat(drawn.err()).contains("does not exist; make it first");
    }

    @Test
    void noMessageQuotesAMegabyte() {
        String much = "x".repeat(1 << 20);
        for (String[] args : new String[][] {
            {"generate", "a", "--out", folder.resolve(much + ".png").toString()},
            {"generate", "a", "--model", much, "--out", folder.resolve("a.png").toString()},
            {"generate", "a", "--scheduler=" + much},
            {
                "generate",
                "a",
                "--latents",
                folder.resolve(much).toString(),
                "--out",
                folder.resolve("a.png").toString()
            },
            {"generate", "a", much},
            {"generate", "-" + much},
            {"compare", "a", "--methods", "tome," + much},
            {"compare", "a", "--map-step", much},
            {"bench", "--budget", much},
            {"tune", "--min-ssim", much},
            {"info", much},
            {"models", much},
            {much}
        }) {
            Program program = Program.run((Object[]) args);
            assertThat(program.status()).isPositive();
            assertThat(program.err().length()).as(args[0]).isLessThan(6000);
            assertThat(program.err()).contains("xxx...");
        }
    }

    @Test
    void noMessageSteersTheTerminal() {
        assertThat(Program.run("info", folder.resolve("a\u001b[31mred")).err()).contains("a\\u001b[31mred");
        assertThat(Program.run("generate", "a", "--scheduler", "\u001b[2J").err())
                .contains("\\u001b[2J");
    }

    @Test
    void whatCannotBeWrittenToStdoutIsAFailure() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        StringWriter err = new StringWriter();
        String[] args = {"models", "--format", "json"};
        int status = Tome.run(args, new PrintWriter(full, true, StandardCharsets.UTF_8), new PrintWriter(err));
        assertThat(status).isEqualTo(1);
        assertThat(err.toString()).contains("could not all be written to stdout");
    }

    @Test
    void withoutACommandItSaysWhichThereAre() {
        Program program = Program.run();
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("generate, compare, evaluate, tune, bench, serve, upscale, models or info");
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
