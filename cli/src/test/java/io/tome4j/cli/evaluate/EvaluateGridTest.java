package io.tome4j.cli.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.cli.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluateGridTest {
    @TempDir
    Path folder;

    private Path prompts;
    private Path out;

    @BeforeEach
    void writePrompts() throws IOException {
        prompts = folder.resolve("prompts.tsv");
        Files.writeString(
                prompts,
                "Prompt\tCategory\tChallenge\na panda\tAnimals\tBasic\na robot\tArts\tBasic\na cat\tAnimals\t\n");
        out = folder.resolve("evaluation");
    }

    private Program evaluate(Object... args) {
        List<Object> all = new ArrayList<>(List.of("evaluate", "--model", Program.tinyModel(), "--dtype", "fp32"));
        all.addAll(List.of("--steps", 1, "--width", 64, "--height", 64, "--out", out));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void aPromptFileIsDrawnWithEachSettingAndGoesOnWhereItWas() throws IOException {
        Object[] grid = {prompts, "--ratios", "0.25,0.5", "--methods", "tome,tomesd,tome+match-per=block"};
        Program first = evaluate(grid);
        assertThat(first.status()).as(first.err()).isZero();
        assertThat(first.err()).contains("image 21 of 21");
        assertThat(first.out()).contains("tome+match-per=block 0.5", "SSIM over tomesd", "results.csv");
        assertThat(out.resolve("results.csv")).content().hasLineCount(22).contains("images/0002-tomesd-0.25.png");
        assertThat(out.resolve("images/0002-tomesd-0.25.png")).isNotEmptyFile();
        List<Object> json = new ArrayList<>(Arrays.asList(grid));
        json.addAll(List.of("--format", "json"));
        Program second = evaluate(json.toArray());
        JsonNode result = second.json();
        assertThat(second.err()).contains("21 images are there already, 0 are to be made");
        assertThat(result.get("summary")).hasSize(7);
        assertThat(result.at("/settings/prompts").asText()).startsWith("prompts.tsv ");
        assertThat(result.at("/settings/num_inference_steps").asText()).isEqualTo("1");
        assertThat(result.at("/machine/engine").asText()).startsWith("PyTorch 2.");
        assertThat(result.get("categories").findValuesAsText("name")).containsExactly("Animals", "Arts");
        assertThat(new ObjectMapper()
                        .readTree(out.resolve("results.json").toFile())
                        .get("summary"))
                .isEqualTo(result.get("summary"));
        Files.writeString(prompts, "Prompt\na dog\n");
        Program other = evaluate(prompts, "--ratios", "0.5");
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.err())
                .contains("made with other settings (prompts was prompts.tsv")
                .hasLineCount(1);
    }

    @Test
    void motifsCanBeLookedUpForEachSetting() throws IOException {
        JsonNode result = evaluate("--motifs", "--samples", 2, "--retrieval", "--ratios", "0.5", "--format", "json")
                .json();
        assertThat(result.get("prompts").asInt()).isEqualTo(2);
        assertThat(result.at("/settings/prompts").asText()).matches("motifs [0-9a-f]{16}, drawn");
        assertThat(result.get("summary")).hasSize(2).allSatisfy(summary -> {
            assertThat(summary.get("top1").asDouble()).isBetween(0.0, 1.0);
            assertThat(summary.get("top10_interval")).hasSize(2);
        });
    }

    @Test
    void networksFromFilesMeasureToo() throws IOException {
        Path fixtures = Program.tinyModel().resolveSibling("measures");
        Object[] networks = {
            prompts,
            "--ratios",
            "0.5",
            "--lpips",
            fixtures.resolve("lpips.pt"),
            "--clip-score",
            fixtures.resolve("tiny-clip"),
            "--features",
            fixtures.resolve("features.pt"),
            "--format",
            "json"
        };
        JsonNode result = evaluate(networks).json();
        assertThat(result.get("frechet_features").asText()).isEqualTo("features.pt");
        assertThat(result.at("/summary/1/frechet_distance").isNumber()).isTrue();
        assertThat(result.at("/summary/1/lpips/count").asInt()).isEqualTo(3);
        assertThat(result.at("/summary/0/clip_score/count").asInt()).isEqualTo(3);
        assertThat(out.resolve("report.html")).content().contains("LPIPS (lower is better)");
        Program none = evaluate(prompts, "--lpips", folder.resolve("none.pt"));
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.err()).contains("none.pt");
    }

    @Test
    void aSampleOfAFileIsDrawnBySeed() throws IOException {
        Program program = evaluate(prompts, "--samples", 1, "--seed", 5, "--ratios", "0.5", "--maps", 0);
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(out.resolve("results.csv")).content().hasLineCount(3).contains(",5,unmerged,");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PROMPTS --samples 4|--samples is 4: it must be from 1 to 3, which is how many prompts prompts.tsv has",
                "PROMPTS --samples 0|--samples is 0",
                "PROMPTS --ratio 0.5|--ratio is for --retrieval alone",
                "PROMPTS --tomesd|--tomesd is for --retrieval alone: say --ratios and --methods",
                "PROMPTS --sheet a.png|--sheet is for --retrieval alone",
                "PROMPTS --retrieval|leave the prompt file away, or take --motifs instead",
                "PROMPTS --motifs|leave the prompt file away",
                "PROMPTS --ratios 0.5,0.5|--ratios has 0.5 twice",
                "PROMPTS --methods tome,fast|--methods has 'fast'",
                "PROMPTS --methods tomesd+match-every=2|--methods has 'tomesd+match-every=2'",
                "PROMPTS --measures taste|--measures has 'taste'",
                "PROMPTS --measures ms-ssim --width 64 --height 64|--measures has ms_ssim, which needs images of 176",
                "PROMPTS --lpips none.pt --motifs|leave the prompt file away",
                "--retrieval --features a.pt|--features is for a prompt file or --motifs",
                "PROMPTS --maps -1|--maps is -1",
                "PROMPTS --width 65|--width is 65",
                "--motifs --samples 1593|--samples is 1593",
                "--motifs --retrieval --width 96 --height 96 --samples 1|--width is 96",
                "--retrieval --ratios 0.5|--ratios is for a prompt file or --motifs",
                "--samples 2|Say what to measure"
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        String[] args = ("evaluate --model " + Program.tinyModel() + " --steps 1 --out " + out + " "
                        + options.replace("PROMPTS", prompts.toString()))
                .split(" ");
        Program program = Program.run((Object[]) args);
        program.assertIsUsageError("evaluate", message);
    }

    @Test
    void aFolderIsNeeded() {
        Program program = Program.run("evaluate", prompts, "--model", Program.tinyModel());
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("--out FOLDER").hasLineCount(1);
    }

    @Test
    void aBadPromptFileIsNamedInOneLine() throws IOException {
        Files.writeString(prompts, "Text\nx\n");
        Program program = evaluate(prompts);
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err())
                .contains("has no column 'Prompt': its first line names Text")
                .hasLineCount(1);
    }
}
