package io.tome4j.models.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTokenizerTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    /** CLIP's whole vocabulary in a folder, with the padding that is asked for. */
    private ClipTokenizer clip(String padToken) {
        unpack("vocab.json");
        unpack("merges.txt");
        write("tokenizer_config.json", "{\"model_max_length\": 77, \"pad_token\": \"" + padToken + "\"}");
        return ClipTokenizer.of(folder);
    }

    private void unpack(String name) {
        try (InputStream packed =
                new GZIPInputStream(Files.newInputStream(Fixtures.path("tokenizer/" + name + ".gz")))) {
            Files.write(folder.resolve(name), packed.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(String name, String content) {
        try {
            Files.writeString(folder.resolve(name), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode prompts(String name) throws IOException {
        try (InputStream packed = new GZIPInputStream(Files.newInputStream(Fixtures.path("tokenizer/" + name)))) {
            return JSON.readTree(packed).get("prompts");
        }
    }

    private static void assertIdsEqual(ClipTokenizer tokenizer, JsonNode prompts, String field, int atLeast) {
        int count = 0;
        for (JsonNode row : prompts) {
            long[] expected = JSON.convertValue(row.get(field), long[].class);
            String text = row.get("text").textValue();
            assertThat(tokenizer.encode(text).ids()).as("prompt '%s'", text).containsExactly(expected);
            count++;
        }
        assertThat(count).isGreaterThanOrEqualTo(atLeast);
    }

    @ParameterizedTest
    @CsvSource({"<|endoftext|>, ids", "!, sd2_ids"})
    void idsEqualThoseOfTransformersWithTheRealVocabulary(String padToken, String field) throws IOException {
        try (var tokenizer = clip(padToken)) {
            assertIdsEqual(tokenizer, prompts("prompts.json.gz"), field, 600);
        }
    }

    @ParameterizedTest
    @CsvSource({"<|endoftext|>, ids", "!, sd2_ids"})
    void theVocabularyThatShipsGivesTheSameIds(String padToken, String field) throws IOException {
        try (var tokenizer = ClipTokenizer.of(new Shipped(padToken))) {
            assertIdsEqual(tokenizer, prompts("prompts.json.gz"), field, 600);
        }
    }

    /** As a single file has it: no files of its own. */
    private record Shipped(String pad) implements Checkpoint.Component {
        @Override
        public String name() {
            return "tokenizer";
        }

        @Override
        public String origin() {
            return "test";
        }

        @Override
        public Config config() {
            return Config.parse("{\"pad_token\": \"" + pad + "\"}", "test");
        }

        @Override
        public StoredTensors weights() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<Path> folder() {
            return Optional.empty();
        }
    }

    @ParameterizedTest
    @CsvSource({"tiny-sd1, ids", "tiny-sd2, sd2_ids"})
    void idsEqualThoseOfTransformersWithFoldersOldAndNew(String pipeline, String field) throws IOException {
        try (var tokenizer = ClipTokenizer.of(Fixtures.path(pipeline + "/tokenizer"))) {
            assertIdsEqual(tokenizer, prompts("tiny-prompts.json.gz"), field, 100);
        }
    }

    @Test
    void idsOfPartiPromptsEqualThoseOfTransformers() throws Exception {
        // The prompts are not in the repository: they may lie in shared/data beside it.
        Path beside = Fixtures.path("../../../shared/data/PartiPrompts.tsv").normalize();
        assumeTrue(Files.exists(beside), () -> beside + " is not there");
        JsonNode expected = JSON.readTree(Files.readString(Fixtures.path("tokenizer/parti-hashes.json")));
        List<String> lines = Files.readAllLines(beside);
        int column = Arrays.asList(lines.get(0).split("\t", -1)).indexOf("Prompt");
        assertThat(lines).hasSize(expected.get("rows").intValue() + 1);
        try (var tokenizer = clip("<|endoftext|>")) {
            for (int row = 1; row < lines.size(); row++) {
                String prompt = lines.get(row).split("\t", -1)[column];
                assertThat(hash(tokenizer.encode(prompt).ids()))
                        .as("row %d", row)
                        .isEqualTo(expected.get("hashes").get(row - 1).textValue());
            }
        }
    }

    private static String hash(long[] ids) throws Exception {
        String joined = Arrays.stream(ids).mapToObj(Long::toString).collect(Collectors.joining(","));
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(joined.getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(digest).substring(0, 16);
    }

    @Test
    void droppedTextBeginsAtTheFirstWordThatIsNotWhole() {
        String fits = "dog ".repeat(75).strip();
        try (var tokenizer = clip("<|endoftext|>")) {
            assertThat(tokenizer.encode(fits).truncated()).isFalse();
            TokenizedPrompt cut = tokenizer.encode(fits + " Cats  and mice ");
            assertThat(cut.dropped()).isEqualTo("Cats  and mice");
            assertThat(cut.ids()).containsExactly(tokenizer.encode(fits).ids());
            // one place left for a word of several tokens
            assertThat(tokenizer
                            .encode("dog ".repeat(74) + "antidisestablishmentarianism, oil")
                            .dropped())
                    .isEqualTo("antidisestablishmentarianism, oil");
        }
    }

    @Test
    void droppedTextIsRightAfterEmojiAndComposedLetters() {
        try (var tokenizer = clip("<|endoftext|>")) {
            String emoji = "\uD83D\uDE80 ".repeat(10); // a rocket: two chars, one code point
            String composed = "cafe\u0301 \uD835\uDC00 "; // a combining accent, a mathematical letter
            String tail = "\uD83C\uDF55 pizza";
            String prompt = emoji + composed + "dog ".repeat(80) + tail;
            String dropped = tokenizer.encode(prompt).dropped();
            assertThat(dropped).endsWith("dog " + tail);
            assertThat(dropped).startsWith("dog dog");
            String kept = prompt.substring(0, prompt.length() - dropped.length());
            assertThat(tokenizer.encode(kept).truncated()).isFalse();
            assertThat(tokenizer.encode(kept + "dog").truncated()).isTrue();
        }
    }

    @Test
    void halfASurrogatePairIsNoError() {
        try (var tokenizer = ClipTokenizer.of(Fixtures.path("tiny-sd1/tokenizer"))) {
            assertThat(tokenizer.encode("a \uD83D b").ids())
                    .containsExactly(tokenizer.encode("a \uFFFD b").ids());
        }
    }

    @Test
    void severalThreadsGetTheSameIds() {
        try (var tokenizer = ClipTokenizer.of(Fixtures.path("tiny-sd1/tokenizer"))) {
            List<String> texts = IntStream.range(0, 200)
                    .mapToObj(i -> "a image of " + i + " cats")
                    .toList();
            List<long[]> alone =
                    texts.stream().map(text -> tokenizer.encode(text).ids()).toList();
            List<long[]> together = texts.parallelStream()
                    .map(text -> tokenizer.encode(text).ids())
                    .toList();
            for (int i = 0; i < texts.size(); i++) {
                assertThat(together.get(i)).containsExactly(alone.get(i));
            }
        }
    }

    /** The tiny vocabulary in a folder of its own, to be spoilt. */
    private void copyTiny() throws IOException {
        for (String name :
                new String[] {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
            Files.copy(Fixtures.path("tiny-sd1/tokenizer/" + name), folder.resolve(name));
        }
    }

    private void assertRefused(String... parts) {
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .message()
                .contains(parts);
    }

    @ParameterizedTest
    @CsvSource({"vocab.json", "merges.txt"})
    void missingFileIsNamed(String name) throws IOException {
        copyTiny();
        Files.delete(folder.resolve(name));
        assertRefused(folder.resolve(name).toString(), "is missing");
    }

    @Test
    void missingFolderIsNamed() {
        Path nowhere = folder.resolve("tokenizer");
        assertThatThrownBy(() -> ClipTokenizer.of(nowhere))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("The folder " + nowhere + " is missing");
    }

    @Test
    void brokenVocabularyIsNamed() throws IOException {
        copyTiny();
        write("vocab.json", "{\"a\": 0, ");
        assertRefused("vocab.json", "is not valid JSON");
        write("vocab.json", "{\"a\": \"b\"}");
        assertRefused("vocab.json", "the id of the token 'a' is \"b\"");
        write("vocab.json", "{}");
        assertRefused("vocab.json", "has no tokens");
    }

    @Test
    void brokenMergesAreNamed() throws IOException {
        copyTiny();
        write("merges.txt", "#version: 0.2\ni n\nsurely not\n");
        assertRefused("merges.txt", "the merge 'surely not'", "belongs to another vocabulary");
        write("merges.txt", "#version: 0.2\n");
        assertRefused("merges.txt", "has no merges");
        Files.write(folder.resolve("merges.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertRefused("merges.txt", "is not UTF-8");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"do_lower_case\": false | 'do_lower_case' is false; supported: true",
                "\"padding_side\": \"left\" | 'padding_side' is \"left\"; supported: \"right\"",
                "\"model_max_length\": 2 | 'model_max_length' is 2; supported: an integer from 3",
                "\"tokenizer_class\": \"T5Tokenizer\" | 'tokenizer_class' is \"T5Tokenizer\"",
                "\"additional_special_tokens\": [{}] | a token belongs there",
                "\"added_tokens_decoder\": {\"x\": {}} | 'added_tokens_decoder' is {\"x\":{}}",
                "\"remove_accents\": true | 'remove_accents': true"
            })
    void settingThatWouldChangeIdsIsRefused(String setting, String message) throws IOException {
        copyTiny();
        Files.delete(folder.resolve("special_tokens_map.json"));
        write("tokenizer_config.json", "{" + setting + "}");
        assertRefused(message);
    }

    @Test
    void lengthThatTransformersWritesWhereNoneIsSetCountsAsUnset() throws IOException {
        copyTiny();
        write("tokenizer_config.json", "{\"model_max_length\": 1000000000000000019884624838656}");
        try (var tokenizer = ClipTokenizer.of(folder)) {
            assertThat(tokenizer.maxLength()).isEqualTo(77);
        }
    }

    @Test
    void specialTokensMapHasTheLastWordOnPadding() throws IOException {
        copyTiny(); // the config says <|endoftext|>: SD 2.1's files differ in the same way
        write("special_tokens_map.json", "{\"pad_token\": \"!\"}");
        try (var tokenizer = ClipTokenizer.of(folder)) {
            assertThat(tokenizer.encode("a").ids()).endsWith(0, 0, 0);
        }
    }
}
