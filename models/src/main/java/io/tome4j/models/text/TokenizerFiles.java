package io.tome4j.models.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * What the files of a {@code tokenizer} folder say.
 *
 * @param tokenizerJson the whole tokenizer in the form that Hugging Face's {@code tokenizers} library reads
 * @param padId the id to pad with
 * @param maxLength the number of ids of a prompt
 */
record TokenizerFiles(String tokenizerJson, long padId, int maxLength) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The markers and contractions, runs of letters, single digits, runs of other visible characters. */
    private static final String WORDS =
            "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

    static TokenizerFiles read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new TomeException("The folder " + folder + " is missing: the checkpoint is incomplete.");
        }
        Path single = folder.resolve("tokenizer.json");
        boolean whole = Files.exists(single)
                && !Files.exists(folder.resolve("vocab.json"))
                && !Files.exists(folder.resolve("merges.txt"));
        ObjectNode vocab;
        ArrayNode merges = JSON.createArrayNode();
        if (whole) {
            JsonNode model = readObject(single).path("model");
            requireClip(single, model);
            vocab = (ObjectNode) model.get("vocab");
            for (JsonNode merge : model.get("merges")) {
                addMerge(merges, merge.isArray() ? texts(merge) : merge.asText().split(" ", -1), vocab, single);
            }
        } else {
            vocab = readObject(folder.resolve("vocab.json"));
            requireIds(vocab, folder.resolve("vocab.json"));
            readMerges(folder.resolve("merges.txt"), vocab, merges);
        }
        TokenizerSettings settings =
                TokenizerSettings.read(folder, whole ? readObject(single) : JSON.createObjectNode());
        for (SpecialToken token : settings.tokens()) {
            if (!vocab.has(token.content())) {
                throw new TomeException("The special token '" + token.content() + "' is not in the vocabulary of "
                        + folder + ": the files do not belong together.");
            }
        }
        return new TokenizerFiles(
                assemble(vocab, merges, settings).toString(),
                vocab.get(settings.pad().content()).longValue(),
                settings.maxLength());
    }

    private static void requireClip(Path file, JsonNode model) {
        if (!model.path("type").asText().equals("BPE")
                || !model.path("end_of_word_suffix").asText().equals("</w>")) {
            throw new TomeException(file + " is not CLIP's tokenizer: its model is of the type "
                    + model.path("type") + " with the end_of_word_suffix " + model.path("end_of_word_suffix")
                    + " instead of \"BPE\" with \"</w>\".");
        }
        if (!model.path("vocab").isObject() || !model.path("merges").isArray()) {
            throw new TomeException(file + " has no 'vocab' and 'merges' in its model: it is damaged.");
        }
        requireIds((ObjectNode) model.get("vocab"), file);
    }

    private static void requireIds(ObjectNode vocab, Path file) {
        if (vocab.isEmpty()) {
            throw new TomeException(file + " has no tokens: it is damaged.");
        }
        vocab.properties().forEach(entry -> {
            if (!entry.getValue().canConvertToInt() || !entry.getValue().isIntegralNumber()) {
                throw new TomeException("Wrong in " + file + ": the id of the token '" + entry.getKey() + "' is "
                        + entry.getValue() + ", which is not an integer.");
            }
        });
    }

    private static void readMerges(Path file, ObjectNode vocab, ArrayNode merges) {
        List<String> lines = readText(file).lines().toList();
        for (int number = 0; number < lines.size(); number++) {
            String line = lines.get(number);
            if (!line.isBlank() && !(number == 0 && line.startsWith("#version"))) {
                addMerge(merges, line.split(" ", -1), vocab, file);
            }
        }
        if (merges.isEmpty()) {
            throw new TomeException(file + " has no merges: it is damaged.");
        }
    }

    private static void addMerge(ArrayNode merges, String[] pair, ObjectNode vocab, Path file) {
        if (pair.length != 2 || !vocab.has(pair[0]) || !vocab.has(pair[1]) || !vocab.has(pair[0] + pair[1])) {
            throw new TomeException("Wrong in " + file + ": the merge '" + String.join(" ", pair)
                    + "' is not a pair of tokens of the vocabulary that form a third. The file is damaged, or belongs"
                    + " to another vocabulary.");
        }
        merges.addArray().add(pair[0]).add(pair[1]);
    }

    private static String[] texts(JsonNode list) {
        String[] texts = new String[list.size()];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = list.get(i).asText();
        }
        return texts;
    }

    /** CLIP's tokenizer as its program defines it; files bring only vocabulary, merges and special tokens. */
    private static ObjectNode assemble(ObjectNode vocab, ArrayNode merges, TokenizerSettings settings) {
        ObjectNode root = JSON.createObjectNode().put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        for (SpecialToken token : settings.tokens()) {
            added.addObject()
                    .put("id", vocab.get(token.content()).intValue())
                    .put("content", token.content())
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", token.normalized())
                    .put("special", true);
        }
        ObjectNode normalizer = root.putObject("normalizer").put("type", "Sequence");
        ArrayNode normalizers = normalizer.putArray("normalizers");
        normalizers.addObject().put("type", "NFC");
        ObjectNode spaces = normalizers.addObject().put("type", "Replace").put("content", " ");
        spaces.putObject("pattern").put("Regex", "\\s+");
        normalizers.addObject().put("type", "Lowercase");

        ObjectNode preTokenizer = root.putObject("pre_tokenizer").put("type", "Sequence");
        ArrayNode steps = preTokenizer.putArray("pretokenizers");
        ObjectNode split = steps.addObject().put("type", "Split");
        split.put("behavior", "Removed")
                .put("invert", true)
                .putObject("pattern")
                .put("Regex", WORDS);
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);

        ObjectNode markers = root.putObject("post_processor").put("type", "RobertaProcessing");
        markers.put("trim_offsets", false).put("add_prefix_space", false);
        markers.putArray("cls")
                .add(settings.bos())
                .add(vocab.get(settings.bos()).intValue());
        markers.putArray("sep")
                .add(settings.eos())
                .add(vocab.get(settings.eos()).intValue());

        ObjectNode model = root.putObject("model").put("type", "BPE");
        model.put("unk_token", settings.unk())
                .put("continuing_subword_prefix", "")
                .put("end_of_word_suffix", "</w>");
        model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
        model.set("vocab", vocab);
        model.set("merges", merges);
        return root;
    }

    /** Reads a file that must be there. */
    static ObjectNode readObject(Path file) {
        try {
            if (JSON.readTree(readText(file)) instanceof ObjectNode object) {
                return object;
            }
            throw new TomeException(file + " is not a JSON object.");
        } catch (JsonProcessingException e) {
            throw new TomeException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static String readText(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new TomeException("The file " + file + " is missing: the checkpoint is incomplete.", e);
        } catch (CharacterCodingException e) {
            throw new TomeException("The file " + file + " is not UTF-8 text: it is damaged.", e);
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
