package io.tome4j.diffusion.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.prompt.PromptChunk.Insert;
import io.tome4j.diffusion.prompt.PromptChunker.Tokens;
import io.tome4j.diffusion.prompt.PromptChunker.Trigger;
import io.tome4j.tensor.OptionException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Chunks of 75 tokens, with a tokenizer that takes each character for a token. */
class PromptChunkerTest {
    private static final Tokens TOKENS = new Tokens(1000, 1001, 0, ',', 75);

    private static long[] characters(String text) {
        return text.chars().asLongStream().toArray();
    }

    private static List<PromptChunk> chunks(String prompt, Trigger... triggers) {
        return new PromptChunker(PromptChunkerTest::characters, TOKENS, List.of(triggers))
                .chunks(WeightedText.parse(prompt));
    }

    /** How many tokens of a chunk are the text's. */
    private static int length(PromptChunk chunk) {
        long[] ids = chunk.ids();
        return (int) Arrays.stream(ids).takeWhile(id -> id != TOKENS.end()).count() - 1;
    }

    @Test
    void aPromptStandsBetweenMarkersAndIsPaddedBehindTheFirstEnd() {
        PromptChunk chunk = chunks("a(b:1.5)").get(0);
        assertThat(chunk.ids()).hasSize(77).startsWith(1000, 'a', 'b', 1001, 0).endsWith(0);
        assertThat(chunk.weights()).hasSize(77).startsWith(1, 1, 1.5f, 1).endsWith(1);
        assertThat(chunks("")).hasSize(1);
        assertThat(chunks("").get(0).isLevel()).isTrue();
    }

    @Test
    void whatDoesNotFitGoesIntoTheNextChunk() {
        assertThat(chunks("a".repeat(75))).hasSize(1);
        assertThat(chunks("a".repeat(76)).stream().map(PromptChunkerTest::length))
                .containsExactly(75, 1);
        assertThat(chunks("a".repeat(151)).stream().map(PromptChunkerTest::length))
                .containsExactly(75, 75, 1);
    }

    @Test
    void theCutIsBehindACommaThatIsNear() {
        assertThat(chunks("a".repeat(60) + "," + "b".repeat(20)).stream().map(PromptChunkerTest::length))
                .containsExactly(61, 20);
        assertThat(chunks("a".repeat(55) + "," + "b".repeat(20)).stream().map(PromptChunkerTest::length))
                .containsExactly(56, 20);
        assertThat(chunks("a".repeat(54) + "," + "b".repeat(21)).stream().map(PromptChunkerTest::length))
                .as("21 tokens from the end are too many")
                .containsExactly(75, 1);
        assertThat(chunks("a".repeat(60) + "," + "b".repeat(14) + ",c").stream().map(PromptChunkerTest::length))
                .as("the token that does not fit is a comma itself")
                .containsExactly(75, 2);
    }

    @Test
    void breakBeginsAnotherChunk() {
        assertThat(chunks("ab BREAK cde").stream().map(PromptChunkerTest::length))
                .containsExactly(2, 3);
        assertThat(chunks("BREAK a").stream().map(PromptChunkerTest::length)).containsExactly(0, 1);
        assertThat(chunks("a BREAK")).hasSize(1);
    }

    @Test
    void vectorsTakeThePlaceOfTheirName() {
        Trigger two = new Trigger("xy", List.of((long) 'x', (long) 'y'), 3);
        Trigger one = new Trigger("x", List.of((long) 'x'), 1);
        PromptChunk chunk = chunks("a(xy:2)bx", one, two).get(0);
        assertThat(chunk.ids()).startsWith(1000, 'a', 0, 0, 0, 'b', 0, 1001);
        assertThat(chunk.weights()).startsWith(1, 1, 2, 2, 2, 1, 1);
        assertThat(chunk.inserts()).containsExactly(new Insert("xy", 2), new Insert("x", 6));
    }

    @Test
    void vectorsAreNeverSplitAndMoveWithTheTextBehindAComma() {
        Trigger trigger = new Trigger("x", List.of((long) 'x'), 4);
        List<PromptChunk> chunks = chunks("a".repeat(73) + "x", trigger);
        assertThat(chunks.get(0).inserts()).isEmpty();
        assertThat(chunks.get(1).inserts()).containsExactly(new Insert("x", 1));
        List<PromptChunk> moved = chunks("a".repeat(60) + ",bx" + "c".repeat(20), trigger);
        assertThat(moved.stream().map(PromptChunkerTest::length)).containsExactly(61, 25);
        assertThat(moved.get(0).inserts()).isEmpty();
        assertThat(moved.get(1).inserts()).containsExactly(new Insert("x", 2));
    }

    @Test
    void whatIsBeyondAllMeasureIsRefused() {
        assertThatThrownBy(() -> chunks("a".repeat(75 * 128 + 1)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("tokens");
        assertThatThrownBy(() -> chunks("a BREAK ".repeat(200))).isInstanceOf(OptionException.class);
        assertThatThrownBy(() -> chunks("x", new Trigger("x", List.of((long) 'x'), 76)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("76 vectors");
    }
}
