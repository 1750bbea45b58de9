package io.tome4j.diffusion.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the web UI's own parser makes of prompts, its documented examples and random ones, is what ours makes of them. */
class PromptParserTest {
    private static final Path GOLDEN = Path.of(System.getProperty("tome4j.fixtures"), "prompts", "a1111.json");
    private static final int MANY = 10_000;

    private static Stream<JsonNode> rows(String kind) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        new ObjectMapper().readTree(GOLDEN.toFile()).get(kind).forEach(rows::add);
        return rows.stream();
    }

    static Stream<JsonNode> scheduled() throws IOException {
        return rows("scheduled");
    }

    static Stream<JsonNode> weighted() throws IOException {
        return rows("weighted");
    }

    static Stream<JsonNode> composed() throws IOException {
        return rows("composed");
    }

    @ParameterizedTest
    @MethodSource
    void scheduled(JsonNode row) {
        var steps = new ScheduledText.Steps(
                row.get("steps").intValue(), row.get("before").intValue());
        List<ScheduledText> expected = new ArrayList<>();
        row.get("variants")
                .forEach(variant -> expected.add(new ScheduledText(
                        variant.get(1).textValue(), variant.get(0).intValue())));
        assertThat(ScheduledText.parse(row.get("prompt").textValue(), steps)).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource
    void weighted(JsonNode row) {
        List<WeightedText> expected = new ArrayList<>();
        row.get("parts")
                .forEach(part -> expected.add(
                        new WeightedText(part.get(0).textValue(), part.get(1).doubleValue())));
        assertThat(WeightedText.parse(row.get("prompt").textValue())).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource
    void composed(JsonNode row) {
        List<ComposedPrompt.Part> expected = new ArrayList<>();
        row.get("parts")
                .forEach(part -> expected.add(new ComposedPrompt.Part(
                        part.get(0).textValue(), part.get(1).doubleValue())));
        assertThat(ComposedPrompt.parse(row.get("prompt").textValue()).parts()).isEqualTo(expected);
    }

    @Test
    void bracketsNestedByTheThousandAreRead() {
        var steps = new ScheduledText.Steps(10, 0);
        String deep = "[".repeat(MANY) + "a" + ":3]".repeat(MANY);
        assertThat(ScheduledText.parse(deep, steps))
                .containsExactly(new ScheduledText("", 3), new ScheduledText("a", 10));
        String round = "(".repeat(MANY) + "a" + ")".repeat(MANY);
        assertThat(ScheduledText.parse(round, steps)).containsExactly(new ScheduledText(round, 10));
        assertThat(ScheduledText.parse("(".repeat(MANY) + "a", steps)).hasSize(1);
        assertThat(WeightedText.parse("[".repeat(MANY) + "a" + "]".repeat(MANY)))
                .hasSize(1);
        assertThat(WeightedText.parse("(a".repeat(MANY))).hasSizeGreaterThan(100);
        assertThat(ComposedPrompt.parse("a AND ".repeat(MANY)).parts()).hasSize(MANY + 1);
    }

    @Test
    void whatWouldTakeForeverIsRefused() {
        assertThatThrownBy(() -> WeightedText.parse("(a".repeat(200_000)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("brackets");
        assertThatThrownBy(() -> ScheduledText.parse("[a|b]" + "x".repeat(400_000), new ScheduledText.Steps(1000, 0)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("variants");
    }

    @Test
    void blanksAroundABreakAreLeftOutHoweverManyTheyAre() {
        String blanks = " \t\n\u00a0\u2003\u0085";
        List<WeightedText> expected = List.of(
                new WeightedText("a", 1), new WeightedText("BREAK", -1), new WeightedText("b" + blanks + "BREAKc", 1));
        assertThat(WeightedText.parse("a" + blanks + "BREAK" + blanks + "b" + blanks + "BREAKc"))
                .isEqualTo(expected);
        String many = " ".repeat(Request.LONGEST_PROMPT - 1);
        assertTimeoutPreemptively(Duration.ofMinutes(1), () -> assertThat(WeightedText.parse(many + "a"))
                .containsExactly(new WeightedText(many + "a", 1)));
    }

    @Test
    void aNumberThatIsNoneIsText() {
        assertThat(WeightedText.parse("(a:1.2.3)"))
                .containsExactly(new WeightedText(
                        "a:1.2.3)", WeightedText.parse("(a").get(0).weight()));
        assertThat(ComposedPrompt.parse("a:" + "1".repeat(500)).parts().get(0).weight())
                .isEqualTo(1);
    }

    @Test
    void theVariantOfAStepIsTheFirstThatLastsSoLong() {
        List<ScheduledText> variants = ScheduledText.parse("[a:b:3]", new ScheduledText.Steps(5, 0));
        assertThat(List.of(1, 3, 4, 5).stream().map(step -> ScheduledText.indexAt(variants, step)))
                .containsExactly(0, 0, 1, 1);
    }
}
