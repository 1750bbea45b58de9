package io.tome4j.cli.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.Request;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateTest {
    @TempDir
    Path folder;

    private static Program generate(Object... args) {
        List<Object> all =
                new ArrayList<>(List.of("generate", "--model", Program.tinyModel(), "--steps", 2, "--dtype", "fp32"));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void anImageIsMadeAndCarriesWhatItWasMadeFrom() {
        Path file = folder.resolve("apple.png");
        Program program = generate("a red apple", "--seed", 7, "--scheduler", "ddim", "--out", file);
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.out().strip()).isEqualTo(file.toString());
        assertThat(program.err())
                .contains("PyTorch 2.", "Token merging: ", "step 2 of 2")
                .doesNotContain("\tat ");
        var parameters = GenerationParameters.read(file);
        assertThat(parameters.prompt()).isEqualTo("a red apple");
        assertThat(parameters.request().seed()).isEqualTo(7);
        assertThat(parameters.request().scheduler()).isEqualTo("ddim");
        assertThat(parameters.merging()).isEqualTo(ToMeOptions.ratio(0.5));
        Program info = Program.run("info", file);
        assertThat(info.status()).isZero();
        assertThat(info.out()).contains("a red apple\n").contains("Steps: 2, Sampler: DDIM");
    }

    @Test
    void anImageTellsItsParametersAsJson() throws IOException {
        Path file = folder.resolve("apple.png");
        assertThat(generate("x", "--negative", "y", "--ratio", 0.25, "--guidance", 3, "--out", file)
                        .status())
                .isZero();
        JsonNode info = Program.run("info", file, "--format", "json").json();
        assertThat(info.get("negative_prompt").asText()).isEqualTo("y");
        assertThat(info.get("num_inference_steps").asInt()).isEqualTo(2);
        assertThat(info.get("guidance_scale").asDouble()).isEqualTo(3);
        assertThat(info.at("/merging/ratio").asDouble()).isEqualTo(0.25);
        assertThat(generate("x", "--ratio", 0, "--out", file).status()).isZero();
        assertThat(Program.run("info", file, "--format", "json").json().has("merging"))
                .isFalse();
    }

    @Test
    void jsonIsOneObjectOnStdout() throws IOException {
        Path latents = folder.resolve("latents.safetensors");
        Program program = generate(
                "x",
                "--count",
                2,
                "--out",
                folder,
                "--format",
                "json",
                "--latents",
                latents,
                "--seed",
                1,
                "--ratio",
                0.25);
        JsonNode json = program.json();
        assertThat(program.out().strip()).hasLineCount(1);
        assertThat(json.get("files")).hasSize(2);
        assertThat(json.get("files")).allMatch(file -> Files.exists(Path.of(file.asText())));
        assertThat(json.get("seed").asLong()).isEqualTo(1);
        assertThat(json.at("/seconds/steps").size()).isGreaterThanOrEqualTo(2);
        assertThat(json.at("/seconds/per_step").asDouble()).isPositive();
        assertThat(json.at("/merging/tokens_merged").asInt()).isPositive();
        assertThat(json.at("/merging/ratio").asDouble()).isEqualTo(0.25);
        assertThat(latents).exists();
    }

    @Test
    void ratio0IsNoMerging() throws IOException {
        Path file = folder.resolve("a.png");
        Program program = generate("x", "--ratio", 0, "--out", file, "--format", "json");
        assertThat(program.json().at("/merging/on").asBoolean()).isFalse();
        assertThat(program.err()).doesNotContain("Token merging");
        assertThat(GenerationParameters.read(file).merging()).isEqualTo(ToMeOptions.NONE);
    }

    @Test
    void mergingOptionsComeThroughToTheImageAndTheReport() throws IOException {
        Path file = folder.resolve("a.png");
        String options = "--ratio 0.25 --method query --match-per block --match-every 2 --match-together"
                + " --match-precision bf16 --merge-mlp --max-downsample 8";
        Program program =
                generate(Stream.concat(Stream.of("x", "--out", file, "--format", "json"), Stream.of(options.split(" ")))
                        .toArray());
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.err()).contains("(query, ratio 0.25, max_downsample 8)");
        assertThat(GenerationParameters.read(file).merging())
                .isEqualTo(ToMeOptions.ratio(0.25)
                        .method(ToMeOptions.Method.QUERY)
                        .matchPer(ToMeOptions.MatchPer.BLOCK)
                        .matchEvery(2)
                        .matchTogether(true)
                        .matchPrecision(Precision.BF16)
                        .mergeMlp(true)
                        .maxDownsample(8));
        JsonNode merging = program.json().get("merging");
        assertThat(merging.get("method").asText()).isEqualTo("query");
        assertThat(merging.get("match_every").asInt()).isEqualTo(2);
    }

    @Test
    void autoSaysWhichBlocksItLeavesAlone() throws IOException {
        Path file = folder.resolve("a.png");
        Program program = generate("x", "--merging", "auto", "--out", file, "--format", "json");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.err()).contains("0 of", "is predicted to cost"); // the model is tiny
        JsonNode merging = program.json().get("merging");
        assertThat(merging.get("auto").asBoolean()).isTrue();
        assertThat(merging.at("/unmerged/0/reason").asText()).contains("times what it saves");
        assertThat(GenerationParameters.read(file).merging())
                .isEqualTo(ToMeOptions.ratio(0.5).auto(true));
        Program off = generate("x", "--merging", "off", "--out", folder.resolve("b.png"));
        assertThat(off.err()).doesNotContain("Token merging");
    }

    @Test
    void aFileThatTheUserDidNotNameIsNeverReplaced() {
        for (int i = 0; i < 2; i++) {
            assertThat(generate("A red apple!", "--seed", 5, "--out", folder).status())
                    .isZero();
        }
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("a-red-apple-5.png", "a-red-apple-5-2.png");
    }

    @Test
    void latentsAndImageHaveFilesOfTheirOwn() {
        Path file = folder.resolve("a.png");
        Program program =
                generate("x", "--out", file, "--latents", folder.resolve(".").resolve("a.png"));
        program.assertIsUsageError("generate", "which is where an image goes");
        generate("a", "--seed", 1, "--out", folder, "--latents", folder.resolve("a-1.png"))
                .assertIsUsageError("generate", "which is where an image goes");
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void aRunThatFailsLeavesNoFile() {
        assertThat(Program.run("generate", "x", "--model", folder.resolve("none"), "--out", folder)
                        .status())
                .isEqualTo(1);
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void moreStepsThanWereAskedForAreExplainedOnce() {
        Program heun = generate("x", "--scheduler", "heun", "--out", folder.resolve("a.png"));
        assertThat(heun.err())
                .containsOnlyOnce(
                        "The scheduler calls the model 3 times for 2 steps; each call is counted as a step here")
                .contains("step 3 of 3");
        assertThat(generate("x", "--scheduler", "ddim", "--out", folder.resolve("a.png"))
                        .err())
                .doesNotContain("calls the model");
    }

    @Test
    void thePromptCanComeFromStdin() {
        InputStream stdin = System.in;
        Path file = folder.resolve("a.png");
        try {
            System.setIn(new ByteArrayInputStream("żółw 🦜\n".getBytes(StandardCharsets.UTF_8)));
            assertThat(generate("-", "--out", file).status()).isZero();
        } finally {
            System.setIn(stdin);
        }
        assertThat(GenerationParameters.read(file).prompt()).isEqualTo("żółw 🦜");
    }

    private static Program generateFrom(InputStream given, Object... args) {
        InputStream stdin = System.in;
        try {
            System.setIn(given);
            return generate(args);
        } finally {
            System.setIn(stdin);
        }
    }

    @Test
    void ofStdinNoMoreIsReadThanAPromptMayHave() {
        AtomicLong read = new AtomicLong();
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                read.incrementAndGet();
                return 'x';
            }
        };
        Program program = generateFrom(endless, "-", "--out", folder.resolve("a.png"));
        assertThat(program.status()).isEqualTo(2);
        assertThat(program.err()).contains("The prompt on stdin is too long").hasLineCount(1);
        assertThat(read.get()).isLessThan(Request.LONGEST_PROMPT + 100_000L);
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void aPromptOnStdinThatCannotBeReadIsSaid() {
        InputStream closed = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("Bad file descriptor");
            }
        };
        assertThat(generateFrom(closed, "-").err())
                .contains("stdin cannot be read")
                .hasLineCount(1);
        byte[] latin1 = "café".getBytes(StandardCharsets.ISO_8859_1);
        assertThat(generateFrom(new ByteArrayInputStream(latin1), "-").err())
                .contains("is not UTF-8")
                .hasLineCount(1);
    }

    @Test
    void seedsGoFromTheLeastSignedToTheGreatestUnsignedOne() throws IOException {
        Path file = folder.resolve("a.png");
        List<byte[]> images = new ArrayList<>();
        for (String seed : new String[] {"18446744073709551615", "-1", "-9223372036854775808", "9223372036854775808"}) {
            assertThat(generate("x", "--seed", seed, "--width", 64, "--height", 64, "--out", file)
                            .status())
                    .isZero();
            images.add(Files.readAllBytes(file));
        }
        assertThat(images.get(0)).isEqualTo(images.get(1)).isNotEqualTo(images.get(2));
        assertThat(images.get(2)).isEqualTo(images.get(3));
        assertThat(GenerationParameters.readText(file)).contains("Seed: 9223372036854775808,");
        Program program = generate("x", "--seed", -1, "--width", 64, "--height", 64, "--out", folder);
        assertThat(program.out()).contains("x-18446744073709551615.png");
        assertThat(program.err()).contains("seed 18446744073709551615,");
    }

    @Test
    void wordsThatTheModelNeverSawAreSaid() {
        Program program = generate("word ".repeat(90) + "unseen", "--out", folder.resolve("a.png"));
        assertThat(program.err()).contains("it never saw: ").contains("unseen");
    }
}
