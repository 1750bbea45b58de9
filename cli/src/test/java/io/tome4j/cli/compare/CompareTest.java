package io.tome4j.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareTest {
    @TempDir
    Path folder;

    private Program compare(Object... args) {
        List<Object> all = new ArrayList<>(List.of("compare", "a red apple", "--model", Program.tinyModel()));
        all.addAll(List.of("--steps", 2, "--width", 128, "--height", 128, "--dtype", "fp32", "--seed", 4));
        all.addAll(List.of("--out", folder.resolve("out.png")));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void theImageHasARowAMethodAndTheJsonARowAnImage() throws IOException {
        Program program =
                compare("--ratios", "0.25,0.5", "--methods", "tome,todo", "--difference", "--maps", "--format", "json");
        assertThat(program.status()).as(program.err()).isZero();
        JsonNode json = program.json();
        assertThat(json.get("rows").findValuesAsText("label"))
                .containsExactly("unmerged", "tome 0.25", "tome 0.5", "todo 0.25", "todo 0.5");
        assertThat(json.at("/rows/0/speed_up").asDouble()).isEqualTo(1);
        assertThat(json.at("/rows/0").has("psnr")).isFalse();
        assertThat(json.at("/rows/1/psnr").asDouble()).isBetween(1.0, 100.0);
        assertThat(json.at("/rows/1/ssim").asDouble()).isBetween(-1.0, 1.0);
        assertThat(json.at("/rows/2/map/tokens").asInt()).isEqualTo(256);
        assertThat(json.at("/rows/2/map/groups").asInt()).isEqualTo(128);
        assertThat(json.at("/rows/2/map/step").asInt()).isEqualTo(1);
        BufferedImage map =
                ImageIO.read(Path.of(json.at("/rows/2/map/file").asText()).toFile());
        assertThat(map.getWidth()).isEqualTo(128);
        BufferedImage image = ImageIO.read(folder.resolve("out.png").toFile());
        assertThat(image.getWidth()).isEqualTo(3 * (230 + 8) + 8);
        assertThat(image.getHeight()).isEqualTo(18 + 2 * 8 + 6 * (128 + 3 * 18 + 8));
        assertThat(program.err()).contains("Warm-up", "Image 5 of 5: todo 0.5");
    }

    @Test
    void whatThePythonPackageDoesStandsBesideOurs() throws IOException {
        Program program = compare(
                "--ratios",
                "0.5",
                "--methods",
                "tome,tomesd,tome+match-every=2,none+reuse-every=2",
                "--maps",
                "--format",
                "json");
        JsonNode rows = program.json().get("rows");
        assertThat(rows.findValuesAsText("label"))
                .containsExactly("unmerged", "tome 0.5", "tomesd 0.5", "tome+match-every=2 0.5", "none+reuse-every=2");
        assertThat(rows.get(2).at("/merging/mode").asText()).isEqualTo("tomesd");
        assertThat(rows.findValuesAsText("file"))
                .hasSize(3)
                .doesNotHaveDuplicates()
                .allMatch(file -> Files.exists(Path.of(file)));
    }

    @Test
    void withoutMapsNoneAreWritten() {
        Program program = compare("--ratios", "0.5");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.out())
                .containsPattern("tome 0.5 .* PSNR [0-9.]+ dB  SSIM [0-9.]+")
                .contains("unmerged");
        assertThat(folder.toFile().list()).containsExactly("out.png");
    }

    @Test
    void mergingWhereItIsPredictedToPayIsToldApart() throws IOException {
        Program program = compare("--ratios", "0.5", "--merging", "auto", "--count", "1", "--format", "json");
        assertThat(program.status()).as(program.err()).isZero();
        JsonNode row = program.json().at("/rows/1");
        assertThat(row.at("/merging/auto").asBoolean()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--ratios 0.5,1.5|--ratios has 1.5",
                "--ratios 0|--ratios has 0.0",
                "--ratios 0.5,0.5|--ratios has 0.5 twice",
                "--ratios half|'half' is not a number",
                "--methods todo,todo|--methods has todo twice",
                "--methods fast|--methods has 'fast': it must be one of tome, todo, query",
                "--methods none|--methods has 'none', which is the unmerged image",
                "--maps --map-step 3|--map-step is 3: it must be from 1 to the number of steps, 2",
                "--map-step 1|add --maps",
                "--merging off|--merging is off: a comparison is with merging",
                "--count 2|--count is 2: a comparison is of one image",
                "--maps --map-block nowhere|--map-block is nowhere: this model has down_blocks.0",
                "--methods todo --merge-mlp|--methods todo samples"
            })
    void aBadOptionIsNamedInOneLineWithStatus2(String options, String message) {
        Program program = compare((Object[]) options.split(" "));
        program.assertIsUsageError("compare", message);
    }
}
