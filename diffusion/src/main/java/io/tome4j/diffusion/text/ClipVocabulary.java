package io.tome4j.diffusion.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a checkpoint's {@code tokenizer} folder says, old layout or new: the tokens, the merges, and the special tokens.
 */
final class ClipVocabulary {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String START = "<|startoftext|>";
    private static final String END = "<|endoftext|>";
    private static final int DEFAULT_MAX_LENGTH = 77;

    private final ObjectNode vocab;
    private final ArrayNode merges;
    private final String pad;
    private final int maxLength;

    private ClipVocabulary(ObjectNode vocab, ArrayNode merges, String pad, int maxLength) {
        this.vocab = vocab;
        this.merges = merges;
        this.pad = pad;
        this.maxLength = maxLength;
    }

    /**
     * @throws TomeException if a file is missing or broken, or a setting is not supported
     */
    static ClipVocabulary read(Path folder) {
        Path vocabFile = folder.resolve("vocab.json");
        Path mergesFile = folder.resolve("merges.txt");
        Path joined = folder.resolve("tokenizer.json");
        ObjectNode vocab;
        ArrayNode merges;
        Path origin;
        if (Files.exists(vocabFile) || Files.exists(mergesFile) || !Files.exists(joined)) {
            vocab = object(vocabFile, json(vocabFile));
            merges = mergesOf(mergesFile);
            origin = vocabFile;
        } else {
            JsonNode model = object(joined, json(joined)).path("model");
            if (!model.path("type").asText("BPE").equals("BPE")
                    || !(model.path("merges") instanceof ArrayNode list)
                    || !model.path("end_of_word_suffix").asText("").equals("</w>")) {
                throw new TomeException(
                        "The file " + joined + " is not a tokenizer of CLIP's kind: its model must be byte"
                                + " pair encoding with merges, and end words with '</w>'.");
            }
            vocab = object(joined, model.path("vocab"));
            merges = list;
            origin = joined;
        }
        ClipVocabulary read = settings(folder, vocab, merges);
        for (String token : List.of(START, END, read.pad)) {
            if (!vocab.path(token).isInt()) {
                throw new TomeException("The token '" + token + "' is missing from " + origin + ".");
            }
        }
        return read;
    }

    private static ClipVocabulary settings(Path folder, ObjectNode vocab, ArrayNode merges) {
        Path file = folder.resolve("tokenizer_config.json");
        if (!Files.exists(file)) {
            return new ClipVocabulary(vocab, merges, END, DEFAULT_MAX_LENGTH);
        }
        ObjectNode config = object(file, json(file));
        String kind = config.path("tokenizer_class").asText("CLIPTokenizer");
        if (!kind.equals("CLIPTokenizer") && !kind.equals("CLIPTokenizerFast")) {
            throw new TomeException(
                    "Unsupported in " + file + ": 'tokenizer_class' is \"" + kind + "\"; supported: CLIPTokenizer.");
        }
        requireContent(file, config, "bos_token", START);
        requireContent(file, config, "eos_token", END);
        if (!config.path("do_lower_case").asBoolean(true)) {
            throw new TomeException("Unsupported in " + file + ": 'do_lower_case' is false; CLIP's is true.");
        }
        double maxLength = config.path("model_max_length").asDouble(DEFAULT_MAX_LENGTH);
        // An unset length is written as a huge number.
        int length = maxLength > 100_000 ? DEFAULT_MAX_LENGTH : (int) maxLength;
        if (length < 3) {
            throw new TomeException("Wrong in " + file + ": 'model_max_length' is " + config.get("model_max_length"));
        }
        return new ClipVocabulary(vocab, merges, content(config.path("pad_token"), END), length);
    }

    private static void requireContent(Path file, ObjectNode config, String key, String expected) {
        String actual = content(config.path(key), expected);
        if (!actual.equals(expected)) {
            throw new TomeException(
                    "Unsupported in " + file + ": '" + key + "' is '" + actual + "'; supported: '" + expected + "'.");
        }
    }

    /** A special token is written as a string or as an object with a {@code content}. */
    private static String content(JsonNode token, String absent) {
        return token.isObject() ? token.path("content").asText(absent) : token.asText(absent);
    }

    private static ArrayNode mergesOf(Path file) {
        ArrayNode merges = JSON.createArrayNode();
        List<String> lines = text(file).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isBlank() || (i == 0 && line.startsWith("#version"))) {
                continue;
            }
            if (line.split(" ", -1).length != 2) {
                throw new TomeException("The file " + file + " is broken at line " + (i + 1) + ": '" + line
                        + "' is not two tokens with a space between.");
            }
            merges.add(line);
        }
        return merges;
    }

    private static JsonNode json(Path file) {
        try {
            return JSON.readTree(text(file));
        } catch (JsonProcessingException e) {
            throw new TomeException("The file " + file + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static String text(Path file) {
        if (!Files.exists(file)) {
            throw new TomeException("The file " + file + " is missing: a tokenizer needs vocab.json and merges.txt, or"
                    + " tokenizer.json.");
        }
        try {
            return Files.readString(file);
        } catch (MalformedInputException e) {
            throw new TomeException("The file " + file + " is not UTF-8 text.", e);
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static ObjectNode object(Path file, JsonNode node) {
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new TomeException("The file " + file + " does not hold what a tokenizer's should: a JSON object.");
    }

    int maxLength() {
        return maxLength;
    }

    long startId() {
        return vocab.get(START).longValue();
    }

    long endId() {
        return vocab.get(END).longValue();
    }

    long padId() {
        return vocab.get(pad).longValue();
    }

    /**
     * The whole tokenizer in the format of Hugging Face's {@code tokenizers}: text is normalised (NFC, runs of white
     * space to one space, lower case), cut into words, digits and runs of punctuation, and each is encoded by bytes.
     */
    String tokenizerJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("version", "1.0");
        ArrayNode added = json.putArray("added_tokens");
        // The padding token is cut out of a text before anything else, even where it is an ordinary "!".
        List.of(START, END, pad).stream().distinct().forEach(token -> added.addObject()
                .put("id", vocab.get(token).longValue())
                .put("content", token)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true));

        ArrayNode normalizers =
                json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        normalizers.addObject().put("type", "NFC");
        normalizers
                .addObject()
                .put("type", "Replace")
                .put("content", " ")
                .putObject("pattern")
                .put("Regex", "\\s+");
        normalizers.addObject().put("type", "Lowercase");

        ArrayNode pretokenizers =
                json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        pretokenizers
                .addObject()
                .put("type", "Split")
                .put("behavior", "Removed")
                .put("invert", true)
                .putObject("pattern")
                .put("Regex", "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+");
        pretokenizers
                .addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);

        ObjectNode model = json.putObject("model");
        model.put("type", "BPE")
                .put("unk_token", END)
                .put("continuing_subword_prefix", "")
                .put("end_of_word_suffix", "</w>")
                .put("fuse_unk", false);
        model.set("vocab", vocab);
        model.set("merges", merges);
        return json.toString();
    }
}
