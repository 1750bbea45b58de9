package io.tome4j.diffusion.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.diffusion.Fixtures;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClipTokenizerTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The real vocabulary of CLIP with the padding of SD 1.x, and with that of SD 2.x. */
    @TempDir
    static Path sd1;

    @TempDir
    static Path sd2;

    @BeforeAll
    static void unpack() throws IOException {
        for (Path folder : List.of(sd1, sd2)) {
            for (String name : List.of("vocab.json", "merges.txt")) {
                try (InputStream in = unzip("tokenizer/" + name + ".gz")) {
                    Files.copy(in, folder.resolve(name));
                }
            }
        }
        Files.writeString(sd2.resolve("tokenizer_config.json"), "{\"pad_token\": \"!\", \"model_max_length\": 77}");
    }

    private static InputStream unzip(String fixture) throws IOException {
        return new GZIPInputStream(Files.newInputStream(Fixtures.path(fixture)));
    }

    private static long[] ids(JsonNode list) {
        long[] ids = new long[list.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = list.get(i).longValue();
        }
        return ids;
    }

    private static List<String> prompts(String fixture, Path folder, String key) throws IOException {
        List<String> wrong = new ArrayList<>();
        try (InputStream in = unzip(fixture);
                var tokenizer = ClipTokenizer.of(folder)) {
            JsonNode prompts = JSON.readTree(in).get("prompts");
            assertThat(prompts.size()).isGreaterThan(100);
            for (JsonNode prompt : prompts) {
                String text = prompt.get("text").textValue();
                if (!Arrays.equals(tokenizer.encode(text).ids(), ids(prompt.get(key)))) {
                    wrong.add(text);
                }
            }
        }
        return wrong;
    }

    @Test
    void idsOfAllPromptsEqualThoseOfTransformers() throws IOException {
        assertThat(prompts("tokenizer/prompts.json.gz", sd1, "ids")).isEmpty();
    }

    @Test
    void idsWithThePaddingOfSd2EqualThoseOfTransformers() throws IOException {
        assertThat(prompts("tokenizer/prompts.json.gz", sd2, "sd2_ids")).isEmpty();
    }

    @Test
    void idsWithASmallVocabularyEqualThoseOfTransformers() throws IOException {
        assertThat(prompts("tokenizer/tiny-prompts.json.gz", Fixtures.path("tiny-sd1/tokenizer"), "ids"))
                .isEmpty();
    }

    @Test
    void aFolderWithNothingButTokenizerJsonIsReadToo() throws IOException {
        assertThat(prompts("tokenizer/tiny-prompts.json.gz", Fixtures.path("tiny-sd2/tokenizer"), "sd2_ids"))
                .isEmpty();
    }

    /** PartiPrompts are not ours to copy: they lie beside the checkout on the machines that check this. */
    @Test
    void idsOfPartiPromptsEqualThoseOfTransformers() throws IOException, NoSuchAlgorithmException {
        Path file = Fixtures.path("../../../shared/data/PartiPrompts.tsv").normalize();
        assumeTrue(Files.exists(file), "PartiPrompts.tsv is not there");
        JsonNode hashes =
                JSON.readTree(Fixtures.path("tokenizer/parti-hashes.json").toFile());
        JsonNode list = hashes.isArray() ? hashes : hashes.get("hashes");
        List<String> rows = Files.readAllLines(file);
        MessageDigest sha = MessageDigest.getInstance("SHA-256");
        try (var tokenizer = ClipTokenizer.of(sd1)) {
            assertThat(list).hasSize(rows.size() - 1);
            for (int i = 1; i < rows.size(); i++) {
                String prompt = rows.get(i).split("\t", -1)[0];
                String joined = Arrays.stream(tokenizer.encode(prompt).ids())
                        .mapToObj(Long::toString)
                        .collect(Collectors.joining(","));
                String hash = HexFormat.of().formatHex(sha.digest(joined.getBytes(StandardCharsets.UTF_8)));
                assertThat(hash.substring(0, 16))
                        .as(prompt)
                        .isEqualTo(list.get(i - 1).textValue());
            }
        }
    }

    @Test
    void saysWhichWordsWereDropped() {
        try (var tokenizer = ClipTokenizer.of(sd1)) {
            assertThat(tokenizer.encode("a red apple").dropped()).isEmpty();
            String fits = "apple ".repeat(75).strip();
            assertThat(tokenizer.encode(fits).truncated()).isFalse();
            assertThat(tokenizer.encode(fits + " Zebra 🦓 crossing").dropped()).isEqualTo("Zebra 🦓 crossing");
        }
    }

    @Test
    void aWordCutInTheMiddleIsDroppedWhole() {
        try (var tokenizer = ClipTokenizer.of(sd1)) {
            // 74 tokens, then a word of several
            String prompt = "apple ".repeat(74) + "xylophonisticallyness";
            assertThat(tokenizer.encode(prompt).dropped()).isEqualTo("xylophonisticallyness");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"vocab.json", "merges.txt"})
    void aMissingFileIsNamed(String missing, @TempDir Path folder) throws IOException {
        for (String name : List.of("vocab.json", "merges.txt")) {
            if (!name.equals(missing)) {
                Files.copy(sd1.resolve(name), folder.resolve(name));
            }
        }
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(missing + " is missing");
    }

    @Test
    void aBrokenMergesFileIsNamedWithTheLine(@TempDir Path folder) throws IOException {
        Files.copy(sd1.resolve("vocab.json"), folder.resolve("vocab.json"));
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\ni n\nt h e\n");
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("merges.txt is broken at line 3: 't h e'");
    }

    @Test
    void mergesOfAnotherVocabularyAreRefused(@TempDir Path folder) throws IOException {
        Files.copy(Fixtures.path("tiny-sd1/tokenizer/vocab.json"), folder.resolve("vocab.json"));
        Files.copy(sd1.resolve("merges.txt"), folder.resolve("merges.txt"));
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("do not fit together");
    }

    @Test
    void anotherKindOfTokenizerIsRefused(@TempDir Path folder) throws IOException {
        Files.copy(sd1.resolve("vocab.json"), folder.resolve("vocab.json"));
        Files.copy(sd1.resolve("merges.txt"), folder.resolve("merges.txt"));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"T5Tokenizer\"}");
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("\"T5Tokenizer\"; supported: CLIPTokenizer");
    }
}
