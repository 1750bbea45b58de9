package io.tome4j.evaluation.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.tensor.Profile.Part;
import java.io.StringReader;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xml.sax.InputSource;

class ReportsTest {
    private static final Instant DATE = Instant.parse("2026-11-22T12:00:00Z");

    static final BenchReport BENCH = new BenchReport(
            BenchTest.MACHINE,
            BenchTest.settings(List.of(512, 1024), List.of(2), 3, BenchTest.EACH),
            List.of(
                    CellResult.measured(
                            cell(512, Variant.EFFICIENT), List.of(3.0, 2.5, 2.6), OptionalLong.of(3_000_000_000L)),
                    CellResult.measured(
                            cell(512, Variant.VANILLA), List.of(4.0, 4.0, 5.0), OptionalLong.of(5_000_000_000L)),
                    CellResult.measured(cell(512, Variant.TOME_EFFICIENT), List.of(2.0), OptionalLong.empty()),
                    CellResult.oom(cell(1024, Variant.VANILLA), "needs about 34 GB, 20 GB is free"),
                    CellResult.dropped(cell(1024, Variant.TOME), "budget"),
                    CellResult.measured(cell(1024, Variant.EFFICIENT), List.of(20.0), OptionalLong.empty())),
            DATE);

    static final ProfileReport PROFILE = new ProfileReport(
            BenchTest.MACHINE,
            BenchTest.settings(List.of(512), List.of(1), 1, Variant.EFFICIENT),
            new MachinePeak(900e9, 800e9),
            List.of(new StepProfile(
                    cell(512, Variant.EFFICIENT),
                    2.0,
                    Map.of(
                            Part.CONVOLUTION, new StepProfile.PartCost(65, 1.0, 720e9),
                            Part.NORMALIZATION, new StepProfile.PartCost(100, 0.25, 0)))),
            DATE);

    private static Cell cell(int resolution, Variant variant) {
        return new Cell(resolution, 2, variant, variant.merges() ? 0.5 : 0);
    }

    @Test
    void markdownHoldsTheReferencesTable() {
        assertThat(BenchFormat.MARKDOWN.format(BENCH))
                .contains(
                        """
                        | size | batch | vanilla | tome 0.5 | tome+efficient 0.5 | efficient |
                        |---|---|---|---|---|---|
                        | 512 | 2 | 4.00 | - | 2.00 (+50.0%) | 2.60 (+35.0%) |
                        | 1024 | 2 | OOM | dropped: budget | - | 20.0 |
                        """)
                .contains("| 512 | 2 | efficient | - | 2.60 | 2.55-2.80 | 3 | 35.0% | 0.0% | 3.0 GB |")
                .contains("| cpu | cpu \\<1\\> & co |")
                .contains("| engine | PyTorch \\| 2 threads |")
                .contains("1 of 6 cells were dropped")
                .contains("OOM: 1024 px, batch 2, vanilla: needs about 34 GB, 20 GB is free.");
    }

    @Test
    void csvHoldsTheNumbersAndBeginsWithTheMachine() {
        assertThat(BenchFormat.CSV.format(BENCH))
                .startsWith("# cpu: cpu <1> & co\n")
                .contains(
                        """
                        resolution,batch,variant,ratio,seconds,seconds_low,seconds_high,samples,peak_bytes,oom,status,speedup_percent,speedup_over_efficient_percent
                        512,2,vanilla,0.0,4.0,4.0,4.5,4.0 4.0 5.0,5000000000,false,measured,0.0,-53.846154
                        """)
                .contains("1024,2,vanilla,0.0,,,,,,true,\"oom: needs about 34 GB, 20 GB is free\",,\n");
    }

    @Test
    void jsonRowsCarryTheNamedFields() throws Exception {
        JsonNode json = new ObjectMapper().readTree(BenchFormat.JSON.format(BENCH));
        assertThat(json.at("/machine/cpu").asText()).isEqualTo("cpu <1> & co");
        assertThat(json.at("/machine/memory_bytes").asLong()).isEqualTo(24_000_000_000L);
        assertThat(json.at("/settings/model").asText()).isEqualTo("made-up");
        assertThat(json.get("rows")).hasSize(6).allSatisfy(row -> assertThat(row.fieldNames())
                .toIterable()
                .contains(
                        "resolution", "batch", "variant", "ratio", "seconds", "speedup_percent", "peak_bytes", "oom"));
        JsonNode merged = json.at("/rows/1");
        assertThat(merged.get("variant").asText()).isEqualTo("tome+efficient");
        assertThat(merged.get("seconds").asDouble()).isEqualTo(2);
        assertThat(merged.get("speedup_percent").asDouble()).isEqualTo(50);
        assertThat(merged.get("speedup_over_efficient_percent").asDouble()).isCloseTo(100 * 0.6 / 2.6, within(1e-4));
        assertThat(merged.get("peak_bytes").isNull()).isTrue();
        JsonNode oom = json.at("/rows/3");
        assertThat(oom.get("oom").asBoolean()).isTrue();
        assertThat(oom.get("seconds").isNull()).isTrue();
        assertThat(json.at("/rows/4/status").asText()).isEqualTo("dropped: budget");
    }

    @Test
    void noNameIsInCamelCase() {
        for (Report report : List.of(BENCH, PROFILE)) {
            assertThat(BenchFormat.JSON.format(report)).doesNotContainPattern("\"[a-z_]*[A-Z][A-Za-z_]*\" :");
        }
    }

    @Test
    void theProfileAddsUpToTheStepAndIsComparedWithThePeak() throws Exception {
        JsonNode json = new ObjectMapper().readTree(BenchFormat.JSON.format(PROFILE));
        assertThat(json.at("/peak_flops_per_second/convolution").asDouble()).isEqualTo(900e9);
        assertThat(json.get("rows"))
                .extracting(row ->
                        row.get("part").asText() + " " + row.get("seconds").asDouble())
                .containsExactly("convolution 1.0", "normalization 0.25", "rest 0.75", "whole step 2.0");
        assertThat(json.at("/rows/0/share_of_peak").asDouble()).isEqualTo(0.8);
        assertThat(BenchFormat.TERMINAL.format(PROFILE))
                .contains("convolution    1.00    50.0%   65     720.0  720.0    80%");
    }

    @ParameterizedTest
    @EnumSource(BenchFormat.class)
    void everyFormatNamesMachineSettingsAndDate(BenchFormat format) {
        for (Report report : List.of(BENCH, PROFILE)) {
            assertThat(format.format(report))
                    .contains("JVM 17", "made-up", "2026-11-22T12:00:00Z", "512")
                    .endsWith("\n");
        }
    }

    @Test
    void thePageIsWellFormedAndNeedsNothingFromElsewhere() throws Exception {
        for (Report report : List.of(BENCH, PROFILE)) {
            String html = BenchFormat.HTML.format(report);
            DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader(html.replaceFirst("<!DOCTYPE html>", ""))));
            assertThat(html)
                    .doesNotContain("://", "url(", "@import", "src=", "href=", "NaN")
                    .contains("prefers-color-scheme: dark", "width=device-width", "cpu &lt;1&gt; &amp; co");
        }
        assertThat(BenchFormat.HTML.format(BENCH)).contains("width: 100.0%", "OOM");
    }
}
