package io.tome4j.cli.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import io.tome4j.emoji.Motifs;
import io.tome4j.emoji.Motifs.Motif;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluateTest {
    @TempDir
    Path folder;

    private static Program evaluate(Object... args) {
        return evaluateSamples(2, args);
    }

    private static Program evaluateSamples(int samples, Object... args) {
        List<Object> all = new ArrayList<>(List.of(
                "evaluate",
                "--retrieval",
                "--model",
                Program.tinyModel(),
                "--samples",
                samples,
                "--steps",
                1,
                "--width",
                64,
                "--height",
                64,
                "--dtype",
                "fp32"));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void theFiguresAreOneObject() throws IOException {
        Program program = evaluate("--format", "json", "--seed", 99);
        JsonNode json = program.json();
        assertThat(json.get("top1").asDouble()).isBetween(0.0, 1.0);
        assertThat(json.get("top10").asDouble()).isBetween(json.get("top1").asDouble(), 1.0);
        assertThat(json.get("top1_interval")).hasSize(2);
        assertThat(json.get("samples").asInt()).isEqualTo(2);
        assertThat(json.get("seed").asInt()).isEqualTo(99);
        assertThat(json.get("num_inference_steps").asInt()).isEqualTo(1);
        assertThat(json.get("guidance_scale").asDouble()).isEqualTo(7.5);
        assertThat(json.get("width").asInt()).isEqualTo(64);
        assertThat(json.get("model").asText()).isEqualTo("tiny-sd1");
        assertThat(json.get("engine").asText()).startsWith("PyTorch 2.");
        assertThat(json.get("version").asText()).startsWith("tome4j");
        assertThat(json.get("seconds_per_image").asDouble()).isPositive();
        assertThat(json.get("rows")).hasSize(2);
        assertThat(json.at("/rows/0/name").asText()).isNotEmpty();
        assertThat(json.at("/rows/0/rank").asInt()).isNotNegative();
        assertThat(program.err()).contains("image 2 of 2");
    }

    @Test
    void mergingIsOffUnlessItIsAskedFor() throws IOException {
        Program unmerged = evaluate("--format", "json", "--merge-mlp");
        assertThat(unmerged.json().get("ratio").asDouble()).isZero();
        assertThat(unmerged.err()).doesNotContain("Token merging");
        Program plain = evaluate("--format", "json");
        assertThat(plain.json().has("merging")).isFalse();
        Program merged = evaluate("--format", "json", "--ratio", 0.5);
        assertThat(merged.json().get("ratio").asDouble()).isEqualTo(0.5);
        assertThat(merged.err()).contains("Token merging: ");
        assertThat(Program.run("generate", "--help").out()).containsPattern("\\(default:\\s+0\\.5\\)");
        assertThat(Program.run("evaluate", "--help").out()).containsPattern("\\(default:\\s+0\\)");
    }

    @Test
    void keptImagesAreNotMadeTwice() throws IOException {
        Path out = folder.resolve("images");
        Path sheet = folder.resolve("sheet.png");
        JsonNode first =
                evaluate("--format", "json", "--out", out, "--sheet", sheet).json();
        assertThat(sheet).isNotEmptyFile();
        assertThat(out.toFile().list()).hasSize(1 + 2 * 2).contains("evaluation.json");
        byte[] before = Files.readAllBytes(sheet);
        JsonNode second =
                evaluate("--format", "json", "--out", out, "--sheet", sheet).json();
        assertThat(second.get("made").asInt()).isZero();
        assertThat(second.has("seconds_per_image")).isFalse();
        assertThat(second.get("rows")).isEqualTo(first.get("rows"));
        assertThat(Files.readAllBytes(sheet)).isEqualTo(before);
        assertThat(evaluateSamples(3, "--format", "json", "--out", out)
                        .json()
                        .get("made")
                        .asInt())
                .isEqualTo(1);
        Program other = evaluate("--out", out, "--ratio", 0.5);
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.err())
                .contains("made with other settings (merging was off and is now ratio=0.5)")
                .hasLineCount(1);
    }

    @Test
    void howFarTheImagesAreFromTheirDrawingsIsReported() throws IOException {
        Path drawings = whiteDrawings();
        JsonNode json =
                evaluateSamples(3, "--format", "json", "--drawings", drawings).json();
        for (String measure : List.of("thumbnail_difference", "drawing_difference")) {
            double sum = 0;
            for (JsonNode row : json.get("rows")) {
                sum += row.get(measure).asDouble();
            }
            double mean = json.get(measure).asDouble();
            assertThat(mean).isPositive().isCloseTo(sum / 3, within(1e-3));
            assertThat(json.at("/" + measure + "_interval/0").asDouble())
                    .isPositive()
                    .isLessThan(mean);
            assertThat(json.at("/" + measure + "_interval/1").asDouble()).isGreaterThan(mean);
        }
        assertThat(evaluate("--format", "json").json().has("drawing_difference"))
                .isFalse();
        assertThat(evaluate("--drawings", drawings).out())
                .containsPattern("right motif.s thumbnail \\d+\\.\\d\\d  \\(95% interval \\d+")
                .containsPattern("difference from its drawing \\d+\\.\\d\\d  \\(95% interval \\d+");
        Program missing = evaluate("--drawings", folder.resolve("none"));
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).contains("motifs.json cannot be read").contains("data.py");
    }

    /** A folder as emoji/training/data.py writes it, in which all drawings are transparent, so white on white. */
    private Path whiteDrawings() throws IOException {
        List<Motif> motifs = Motifs.list();
        Files.writeString(
                folder.resolve("motifs.json"),
                motifs.stream()
                        .map(motif -> "{\"id\": \"" + motif.id() + "\"}")
                        .collect(Collectors.joining(",", "[", "]")));
        String header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + motifs.size() + ", 512, 512, 4), }\n";
        try (RandomAccessFile file =
                new RandomAccessFile(folder.resolve("renders.npy").toFile(), "rw")) {
            file.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) header.length(), 0});
            file.write(header.getBytes(StandardCharsets.US_ASCII));
            file.setLength(10 + header.length() + motifs.size() * 512L * 512 * 4); // sparse
        }
        return folder;
    }

    @Test
    void peopleGetAFewLines() {
        Program program = evaluate("--ratio", 0.25);
        assertThat(program.out())
                .contains("Retrieval of 2 motifs drawn with seed 99 by tiny-sd1", "64 x 64, 1 steps", "ratio 0.25")
                .contains("top 1 ", "top 10 ", "95% interval", "median rank");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--retrieval --samples 0|--samples is 0: it must be from 1 to 1592",
                "--retrieval --samples 1593|--samples is 1593",
                "--retrieval --width 96 --height 96|--width is 96",
                "--retrieval --ratio 2|--ratio is 2",
                "--retrieval --steps 0|--steps is 0",
                "--retrieval --scheduler x|--scheduler is x",
                "--retrieval --sheet a.jpg|--sheet is a.jpg: it must end in .png",
                "--samples 3|Say what to measure: a prompt file or --motifs"
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        Program program = Program.run(("evaluate --model " + Program.tinyModel() + " " + options).split(" "));
        program.assertIsUsageError("evaluate", message);
        assertThat(program.err()).hasLineCount(1);
    }
}
