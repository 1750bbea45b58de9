package io.tome4j.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.cli.Program;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {
    @TempDir
    Path folder;

    private static Program bench(Object... args) {
        List<Object> all = new ArrayList<>(List.of(
                "bench",
                "--model",
                Program.tinyModel(),
                "--dtype",
                "fp32",
                "--resolutions",
                64,
                "--batches",
                1,
                "--steps",
                1,
                "--repeats",
                1));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--resolutions 500|--resolutions has 500: each must be a multiple of 8",
                "--resolutions 512,512|--resolutions has something twice",
                "--batches 0|--batches has 0",
                "--batches some|'some' is not a whole number",
                "--variants quick|'quick' is none of vanilla, tome, tome+efficient, efficient",
                "--ratios 0.5,2|--ratios has 2.0",
                "--ratio 0.5,half|'half' is not a number",
                "--max-downsample 3|--max-downsample is 3",
                "--method some|--method is 'some': it must be one of",
                "--method todo --merge-mlp|--method todo",
                "--steps 0|--steps is 0",
                "--repeats 0|--repeats is 0",
                "--budget soon|--budget is soon",
                "--profile --budget 1m|--budget is for the table",
                "--format pdf|'pdf' is none of terminal, markdown, csv, json, html",
                "--weights mine|'mine' is none of random, checkpoint",
                "--weights checkpoint|name a checkpoint with --model",
                "--revision main|--revision and --variant are for checkpoints",
                "--config folder|--config is for checkpoints",
                "--base sd15|--base is for checkpoints",
                "--dtype int8|'int8' is none of",
                "--out x.pdf|--out is x.pdf: it must end in .txt, .md, .csv, .json, .html, or be a folder"
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        Program program = Program.run(("bench " + options).split(" "));
        program.assertIsUsageError("bench", message);
        assertThat(program.err()).hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({"90s,PT1M30S", "10m,PT10M", "1h30m,PT1H30M", "2h1s,PT2H1S"})
    void budgetsAreTimesAsPeopleWriteThem(String text, Duration expected) {
        BenchTableOptions options = new BenchTableOptions();
        options.budget = Optional.of(text);
        assertThat(options.duration()).contains(expected);
        options.budget = Optional.of("none");
        assertThat(options.duration()).isEmpty();
    }

    @Test
    void aSingleFileIsMeasuredWithTheConfigsOfAFolder() throws IOException {
        Path file = Files.copy(
                Program.tinyModel().resolve("unet/diffusion_pytorch_model.safetensors"),
                folder.resolve("one.safetensors"));
        JsonNode ofFile = bench("--model", file, "--config", Program.tinyModel(), "--ratios", 0.5, "--format", "json")
                .json();
        JsonNode ofFolder = bench("--ratios", 0.5, "--format", "json").json();
        assertThat(ofFile.get("rows")).hasSameSizeAs(ofFolder.get("rows")).isNotEmpty();
        assertThat(ofFile.get("rows"))
                .allSatisfy(row -> assertThat(row.get("seconds").asDouble()).isPositive());
        assertThat(ofFile.at("/settings/model").asText()).isEqualTo("one.safetensors");
    }

    @Test
    void jsonOnStdoutHasARowForEachVariantAndRatio() throws IOException {
        Program program =
                bench("--ratios", 0.25, "--ratio", 0.5, "--format", "json", "--variants", "vanilla,tome,efficient");
        assertThat(program.status()).as(program.err()).isZero();
        JsonNode json = program.json();
        assertThat(json.get("rows")).hasSize(4).allSatisfy(row -> {
            assertThat(row.get("seconds").asDouble()).isPositive();
            assertThat(row.get("oom").asBoolean()).isFalse();
            assertThat(row.get("peak_bytes").asLong()).isPositive();
        });
        assertThat(json.get("rows"))
                .extracting(row ->
                        row.get("variant").asText() + " " + row.get("ratio").asDouble())
                .containsExactly("vanilla 0.0", "tome 0.25", "tome 0.5", "efficient 0.0");
        assertThat(json.at("/settings/weights").asText()).isEqualTo("checkpoint");
        assertThat(program.err()).contains("64 px, batch 1, vanilla: ");
    }

    @Test
    void aFolderGetsAllFormatsAndTheSameCommandGoesOn() throws IOException {
        Path out = folder.resolve("bench");
        assertThat(bench("--variants", "efficient", "--out", out, "--weights", "random")
                        .status())
                .isZero();
        assertThat(out.toFile().list())
                .containsExactlyInAnyOrder(
                        "cells.jsonl", "bench.txt", "bench.md", "bench.csv", "bench.json", "bench.html");
        byte[] cells = Files.readAllBytes(out.resolve("cells.jsonl"));
        Program again = bench("--variants", "efficient", "--out", out, "--weights", "random");
        assertThat(again.status()).isZero();
        assertThat(again.err()).contains("Going on: 1 cells").doesNotContain("s a step");
        assertThat(out.resolve("cells.jsonl")).hasBinaryContent(cells);
        Program other = bench("--variants", "vanilla", "--out", out, "--weights", "random");
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.err()).contains("variants was [\"efficient\"] and is now [\"vanilla\"]");
    }

    @Test
    void stepsAreTimedOnDemand() throws IOException {
        InputStream stdin = System.in;
        Program program;
        try {
            System.setIn(new ByteArrayInputStream(
                    "{\"resolution\": 64, \"ratio\": 0.5}\n{\"resolution\": 64, \"ratio\": 0, \"steps\": 2}\n"
                            .getBytes(StandardCharsets.UTF_8)));
            program = bench("--serve");
        } finally {
            System.setIn(stdin);
        }
        assertThat(program.status()).as(program.err()).isZero();
        List<String> lines = program.out().lines().toList();
        assertThat(lines).hasSize(3);
        assertThat(new ObjectMapper().readTree(lines.get(0)).get("ready").asText())
                .contains("fp32");
        assertThat(new ObjectMapper().readTree(lines.get(2)).get("seconds").asDouble())
                .isPositive();
    }

    @Test
    void aProfileSaysWhereTheTimeGoes() throws IOException {
        Path out = folder.resolve("profile");
        Program program = bench("--profile", "--match-per", "block", "--out", out, "--format", "json");
        JsonNode json = program.json();
        assertThat(json.get("rows")).extracting(row -> row.get("part").asText()).contains("matching", "whole step");
        assertThat(json.at("/settings/merging/match_per").asText()).isEqualTo("block");
        assertThat(out.resolve("profile.md"))
                .content()
                .contains(
                        "| convolution |",
                        "| attention |",
                        "| matching |",
                        "match\\_per block",
                        "| rest |",
                        "| whole step |",
                        "64 px, batch 1, tome+efficient 0.5");
        assertThat(folder.toFile().list()).containsExactly("profile");
    }

    @Test
    void aFileGetsTheFormatThatIsAskedFor() {
        Path file = folder.resolve("bench.md");
        Program program = bench("--variants", "efficient", "--out", file, "--format", "markdown");
        assertThat(program.out().strip()).isEqualTo(file.toString());
        assertThat(file).content().contains("| 64 | 1 | efficient |");
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("bench.md", "bench.md.cells.jsonl");
    }

    @ParameterizedTest
    @CsvSource({"a.json,,{", "a.CSV,,#", "a.html,,<!doctype", "a.md,,#", "a.json,csv,#", "a.log,csv,#"})
    void aFileGetsTheFormatOfItsEndingUnlessAnotherIsAskedFor(String name, String format, String begins) {
        Path file = folder.resolve(name);
        List<Object> args = new ArrayList<>(List.of("--variants", "efficient", "--out", file));
        if (format != null) {
            args.addAll(List.of("--format", format));
        }
        assertThat(bench(args.toArray()).status()).isZero();
        assertThat(file).content().startsWithIgnoringCase(begins);
    }
}
