package io.tome4j.cli.tune;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TuneTest {
    @TempDir
    Path folder;

    private static Program tune(Object... args) {
        List<Object> all = new ArrayList<>(List.of("tune", "--model", Program.tinyModel(), "--dtype", "fp32"));
        all.addAll(List.of("--steps", 1, "--width", 64, "--height", 64));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void theJsonHasWhatLedToTheOptions() throws IOException {
        Program program = tune("--min-ssim", 0.0001, "--prompt", "a cat", "--prompt", "a dog", "--format", "json");
        assertThat(program.status()).as(program.err()).isZero();
        JsonNode json = program.json();
        assertThat(json.get("reached").asBoolean()).isTrue();
        assertThat(json.get("prompts")).hasSize(2);
        assertThat(json.at("/trials/0/arguments").asText()).isEqualTo("--merging off");
        assertThat(json.at("/trials/0/ssim").asDouble()).isEqualTo(1);
        assertThat(json.at("/trials/1/merging/method").asText()).isEqualTo("tome");
        assertThat(json.at("/trials/1/ssim").asDouble()).isLessThan(1);
        assertThat(json.get("trials").findValuesAsText("arguments"))
                .contains("--ratio 0.5", "--ratio 0.5 --method todo", "--ratio 0.5 --method query")
                .contains(json.get("arguments").asText());
        assertThat(program.err()).contains("Setting 1: --merging off", "s an image, SSIM");
    }

    @Test
    void whatCannotBeReachedIsSaidPlainlyWithTheNearest() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "\uFEFFa cat\n\n  a dog \n");
        Program program =
                tune("--target-time", "0.000001s", "--methods", "query", "--prompts", prompts, "--budget", "0s");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.out())
                .contains(
                        "No setting that was tried has at most 0.000001 s an image.",
                        "Nearest: --",
                        "budget was used up")
                .doesNotContain("Use:");
        assertThat(folder.toFile().list()).containsExactly("prompts.txt");
    }

    @Test
    void theSameCommandGoesOnWithWhatWasKeptInWhateverCountry() throws IOException {
        Path out = folder.resolve("tuning");
        Object[] args = {
            "--min-ssim", 0.0001, "--prompt", "a cat", "--methods", "query", "--format", "json", "--out", out
        };
        JsonNode first = tune(args).json();
        Set<Path> kept = images(out);
        assertThat(kept).isNotEmpty();
        Locale before = Locale.getDefault();
        Program again;
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab")); // other digits
            again = tune(args);
        } finally {
            Locale.setDefault(before);
        }
        assertThat(again.json().get("trials")).isEqualTo(first.get("trials"));
        assertThat(again.err()).doesNotContain("step 1 of");
        assertThat(images(out)).isEqualTo(kept);
        Program otherGoal = tune("--target-time", "0.000001s", "--prompt", "a cat", "--budget", "0s", "--out", out);
        assertThat(otherGoal.status()).as(otherGoal.err()).isZero();
        Program otherPrompt = tune("--min-ssim", 0.5, "--prompt", "a dog", "--out", out);
        assertThat(otherPrompt.status()).isEqualTo(1);
        assertThat(otherPrompt.err()).contains("made with other settings (prompts was");
    }

    private static Set<Path> images(Path out) throws IOException {
        try (Stream<Path> files = Files.list(out.resolve("images"))) {
            return files.filter(file -> file.toString().endsWith(".png")).collect(Collectors.toSet());
        }
    }

    @Test
    void motifsAreDrawnWhereNoPromptIsGiven() {
        Program program = tune("--target-time", "1h", "--seed", 3);
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.out())
                .contains("Use: --merging off", "Without saving anything an image is in time already.");
        assertThat(program.err()).contains("The prompts are motifs of the embedded model");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--budget 1m|Say what to reach: --target-time 10s, --min-ssim 0.9, or both",
                "--target-time soon|--target-time is soon: say hours, minutes or seconds",
                "--target-time 0s|--target-time is 0.0 s: it must be above 0",
                "--min-ssim 1|--min-ssim is 1.0: it must be above 0 and below 1",
                "--min-ssim 0.9 --budget none|--budget is none",
                "--min-ssim 0.9 --methods todo --merge-mlp|--methods todo samples",
                "--min-ssim 0.9 --no-merge-attn|--merge-attn, --merge-crossattn and --merge-mlp are all off",
                "--min-ssim 0.9 --samples 0|--samples is 0: it must be from 1 to",
                "--min-ssim 0.9 --prompt x --samples 1|--samples is how many prompts to draw",
                "--min-ssim 0.9 --prompt x --prompts y|--prompt and --prompts do not go together",
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        Program program = tune((Object[]) options.split(" "));
        program.assertIsUsageError("tune", message);
    }

    @Test
    void aFileWithoutPromptsIsNamed() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.txt"), "\n \n");
        Program program = tune("--min-ssim", 0.9, "--prompts", empty);
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("empty.txt has no prompt in it");
        assertThat(tune("--min-ssim", 0.9, "--prompts", folder.resolve("none")).err())
                .contains("There is no prompt file");
    }
}
