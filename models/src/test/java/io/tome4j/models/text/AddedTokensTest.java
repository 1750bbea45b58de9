package io.tome4j.models.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens beyond the vocabulary. All ids are those of transformers' CLIPTokenizer 5.23.0, from the same files. */
class AddedTokensTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CAT_TOY = "a photo of <cat-toy>";
    private static final long[] CAT_TOY_IDS = {992, 320, 816, 531, 539, 994, 993};
    private static final long[] IN_PIECES = {992, 320, 816, 531, 539, 283, 66, 536, 268, 580, 344, 285, 993};

    @TempDir
    Path folder;

    @BeforeEach
    void tinyTokenizer() {
        Fixtures.copy("tiny-sd1/tokenizer", folder, file -> true);
    }

    @Test
    void addedTokensJsonIsRead() throws IOException {
        assertIds(CAT_TOY, IN_PIECES);
        write("added_tokens.json", "{\"<cat-toy>\": 994}");
        assertIds(CAT_TOY, CAT_TOY_IDS);
        assertIds("A <Cat-Toy> <CAT-TOY>dog", 992, 320, 994, 994, 639, 326, 993);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"<sks>\": 995, \"<cat-toy>\": 994}", "{\"<sks>\": 2000, \"<cat-toy>\": 1500}"})
    void tokensAreAddedInTheOrderOfTheirIds(String added) throws IOException {
        write("added_tokens.json", added);
        assertIds("x<cat-toy>y <sks> a  <sks>b", 992, 343, 994, 344, 995, 320, 995, 321, 993);
    }

    @Test
    void aTokenOfTheVocabularyKeepsItsIdAndIsFoundWithinWords() throws IOException {
        write("added_tokens.json", "{\"a\": 64, \"<sks>\": 994}");
        assertIds(CAT_TOY, 992, 64, 816, 531, 539, 283, 322, 64, 339, 268, 580, 344, 285, 993);
    }

    @Test
    void paddingMayBeAnAddedToken() throws IOException {
        write("added_tokens.json", "{\"[PAD]\": 994}");
        set("special_tokens_map.json", "pad_token", "\"[PAD]\"");
        try (var tokenizer = ClipTokenizer.of(folder)) {
            assertThat(tokenizer.encode("a").ids())
                    .startsWith(992, 320, 993, 994)
                    .endsWith(994, 994);
            assertThat(tokenizer.markerIds()).containsEntry("[PAD]", 994);
        }
    }

    @Test
    void aListInTheConfigIsAll() throws IOException {
        String list = "{\"993\": {\"content\": \"<|endoftext|>\", \"special\": true},"
                + "\"994\": {\"content\": \"<cat-toy>\", \"normalized\": true, \"special\": false}}";
        set("tokenizer_config.json", "added_tokens_decoder", list);
        write("added_tokens.json", "{\"<sks>\": 995}");
        assertIds(CAT_TOY, CAT_TOY_IDS);
        assertIds("<sks> b", 992, 283, 82, 662, 285, 321, 993);
    }

    @Test
    void tokenizerJsonBesideAVocabularyCounts() throws IOException {
        Files.copy(Fixtures.path("tiny-sd2/tokenizer/tokenizer.json"), folder.resolve("tokenizer.json"));
        assertIds(CAT_TOY, IN_PIECES);
        swapAAndBInTokenizerJson();
        assertIds("a photo of <cat-toy>", 992, 321, 816, 531, 539, 283, 66, 536, 268, 580, 344, 285, 993);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tokensOfTokenizerJsonAreAddedWithTheirFlags(boolean alone) throws IOException {
        if (alone) {
            Files.delete(folder.resolve("vocab.json"));
            Files.delete(folder.resolve("merges.txt"));
        }
        Files.copy(Fixtures.path("tiny-sd2/tokenizer/tokenizer.json"), folder.resolve("tokenizer.json"));
        add(994, "<cat-toy>", "lstrip", "rstrip");
        add(995, "tok", "single_word");
        write("added_tokens.json", "{\"<sks>\": 996}");
        assertIds(CAT_TOY, 992, 320, 816, 531, 539, 994, 993);
        assertIds("x<cat-toy>y <sks> a  <sks>b", 992, 343, 994, 344, 996, 320, 996, 321, 993);
        try (var tokenizer = ClipTokenizer.of(folder)) {
            assertThat(tokenizer.encode("aa <a> <aa> tok tokens").ids())
                    .startsWith(992, 64, 320, 283, 320, 285, 283, 64, 320, 285, 995, 580, 74, 524);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "tokenizer_config.json, additional_special_tokens",
        "special_tokens_map.json, additional_special_tokens",
        "tokenizer_config.json, extra_special_tokens"
    })
    void furtherSpecialTokensComeLast(String file, String key) throws IOException {
        set(file, key, "[\"<new1>\", \"<new2>\"]");
        assertIds("[PAD] <new1><new2>", 992, 314, 79, 680, 316, 994, 995, 993);
        write("added_tokens.json", "{\"<new2>\": 994, \"<new1>\": 995}");
        assertIds("[PAD] <new1><new2>", 992, 314, 79, 680, 316, 995, 994, 993);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"<x>\": \"y\"}", "{\"<x>\": -1}", "{\"<x>\": 99999999999}", "[]", "{} {}"})
    void whatIsNoListOfTokensIsRefused(String added) throws IOException {
        write("added_tokens.json", added);
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(folder.resolve("added_tokens.json").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"2147483648", "2000000000", "-1"})
    void idsThatNoEmbeddingCouldHaveAreRefused(String id) throws IOException {
        set("vocab.json", "<|endoftext|>", id);
        assertThatThrownBy(() -> ClipTokenizer.of(folder))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("vocab.json: the id of the token '<|endoftext|>' is " + id);
    }

    private void assertIds(String prompt, long... expected) {
        try (var tokenizer = ClipTokenizer.of(folder)) {
            long[] ids = tokenizer.encode(prompt).ids();
            assertThat(Arrays.copyOf(ids, expected.length)).containsExactly(expected);
        }
    }

    private void write(String file, String text) throws IOException {
        Files.writeString(folder.resolve(file), text);
    }

    private void set(String file, String key, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(folder.resolve(file).toFile());
        json.set(key, JSON.readTree(value));
        write(file, json.toString());
    }

    private void swapAAndBInTokenizerJson() throws IOException {
        ObjectNode json =
                (ObjectNode) JSON.readTree(folder.resolve("tokenizer.json").toFile());
        ObjectNode vocab = (ObjectNode) json.get("model").get("vocab");
        var a = vocab.get("a</w>");
        vocab.set("a</w>", vocab.get("b</w>"));
        vocab.set("b</w>", a);
        write("tokenizer.json", json.toString());
    }

    private void add(int id, String content, String... flags) throws IOException {
        ObjectNode json =
                (ObjectNode) JSON.readTree(folder.resolve("tokenizer.json").toFile());
        ObjectNode token = ((ArrayNode) json.get("added_tokens")).addObject();
        token.put("id", id).put("content", content).put("normalized", false).put("special", false);
        for (String flag : new String[] {"lstrip", "rstrip", "single_word"}) {
            token.put(flag, Arrays.asList(flags).contains(flag));
        }
        write("tokenizer.json", json.toString());
    }
}
