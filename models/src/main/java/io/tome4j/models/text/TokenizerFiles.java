package io.tome4j.models.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.JsonFile;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the files of a {@code tokenizer} folder say.
 *
 * @param tokenizerJson the whole tokenizer in the form that Hugging Face's {@code tokenizers} library reads
 * @param markerIds the ids that every prompt has: of the markers of its beginning and end, and of padding
 * @param padId the id to pad with
 * @param maxLength the number of ids of a prompt
 */
record TokenizerFiles(String tokenizerJson, Map<String, Integer> markerIds, int padId, int maxLength) {
    private static final int MOST_TOKENS = 1 << 24;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The markers and contractions, runs of letters, single digits, runs of other visible characters. */
    private static final String WORDS =
            "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

    static TokenizerFiles read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new TomeException("The folder " + folder + " is missing: the checkpoint is incomplete.");
        }
        Path single = folder.resolve("tokenizer.json");
        boolean isWhole = Files.exists(single);
        ObjectNode whole = isWhole ? JsonFile.object(single) : JSON.createObjectNode();
        ObjectNode vocab;
        ArrayNode merges = JSON.createArrayNode();
        if (isWhole) { // then it counts, whatever is beside it
            JsonNode model = whole.path("model");
            requireClip(single, model);
            vocab = (ObjectNode) model.get("vocab");
            for (JsonNode merge : model.get("merges")) {
                addMerge(merges, merge.isArray() ? texts(merge) : merge.asText().split(" ", -1), vocab, single);
            }
        } else {
            vocab = JsonFile.object(folder.resolve("vocab.json"));
            requireIds(vocab, folder.resolve("vocab.json"));
            Path file = folder.resolve("merges.txt");
            readMerges(JsonFile.text(file), vocab, merges, file);
        }
        return of(vocab, merges, TokenizerSettings.read(folder, whole));
    }

    /**
     * Of CLIP's own vocabulary, which ships with tome4j.
     *
     * @param pad the token to pad with
     */
    static TokenizerFiles shipped(String pad) {
        try {
            ObjectNode vocab = (ObjectNode) JSON.readTree(ClipVocabulary.vocabJson());
            ArrayNode merges = JSON.createArrayNode();
            readMerges(ClipVocabulary.mergesTxt(), vocab, merges, Path.of("merges.txt"));
            return of(vocab, merges, TokenizerSettings.ofClip(pad));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The vocabulary in tome4j's jar is damaged", e);
        }
    }

    private static TokenizerFiles of(ObjectNode vocab, ArrayNode merges, TokenizerSettings settings) {
        Map<String, Integer> ids = ids(vocab, settings.tokens());
        Map<String, Integer> markerIds = new LinkedHashMap<>();
        for (String marker : List.of(settings.bos(), settings.eos(), settings.pad())) {
            markerIds.put(marker, ids.getOrDefault(marker, 0));
        }
        return new TokenizerFiles(
                assemble(vocab, merges, settings, ids).toString(),
                markerIds,
                markerIds.getOrDefault(settings.pad(), 0),
                settings.maxLength());
    }

    /**
     * The ids of added tokens, as the library gives them: that of the vocabulary, or else the next that is free.
     *
     * @param tokens in the order in which they are added
     */
    private static Map<String, Integer> ids(ObjectNode vocab, List<AddedToken> tokens) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        int next = vocab.size();
        for (AddedToken token : tokens) {
            int id = vocab.has(token.content()) ? vocab.get(token.content()).intValue() : next;
            ids.put(token.content(), id);
            next = Math.max(next, id + 1);
        }
        return ids;
    }

    /** The first id that no token has. */
    long nextId() {
        try {
            JsonNode root = JSON.readTree(tokenizerJson);
            long last = -1;
            for (JsonNode id : root.path("model").path("vocab")) {
                last = Math.max(last, id.longValue());
            }
            for (JsonNode token : root.path("added_tokens")) {
                last = Math.max(last, token.path("id").longValue());
            }
            return last + 1;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Our own JSON cannot be read", e);
        }
    }

    /** The same with more tokens, from {@link #nextId()} on. */
    TokenizerFiles with(List<String> texts) {
        try {
            ObjectNode root = (ObjectNode) JSON.readTree(tokenizerJson);
            ArrayNode added = (ArrayNode) root.get("added_tokens");
            int id = (int) nextId();
            for (String text : texts) {
                boolean isAdded = false;
                for (JsonNode other : added) {
                    isAdded |= other.path("content").asText().equals(text);
                }
                if (isAdded || root.path("model").path("vocab").has(text)) {
                    throw new TomeException(
                            "'" + text + "' cannot be a textual inversion's token: the model's vocabulary"
                                    + " has it already. Give it another, such as <" + text + ">.");
                }
                added.addObject()
                        .put("id", id++)
                        .put("content", text)
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", true)
                        .put("special", false);
            }
            return new TokenizerFiles(root.toString(), markerIds, padId, maxLength);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Our own JSON cannot be read", e);
        }
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
            JsonNode id = entry.getValue();
            if (!id.canConvertToInt() || !id.isIntegralNumber() || id.intValue() < 0 || id.intValue() > MOST_TOKENS) {
                throw new TomeException("Wrong in " + file + ": the id of the token '" + entry.getKey() + "' is " + id
                        + ", which is not an integer from 0 to " + MOST_TOKENS + ".");
            }
        });
    }

    private static void readMerges(String text, ObjectNode vocab, ArrayNode merges, Path file) {
        List<String> lines = text.lines().toList();
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
    private static ObjectNode assemble(
            ObjectNode vocab, ArrayNode merges, TokenizerSettings settings, Map<String, Integer> ids) {
        ObjectNode root = JSON.createObjectNode().put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        for (AddedToken token : settings.tokens()) {
            token.writeTo(added.addObject(), ids.getOrDefault(token.content(), 0));
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
                .add(ids.getOrDefault(settings.bos(), 0).intValue());
        markers.putArray("sep")
                .add(settings.eos())
                .add(ids.getOrDefault(settings.eos(), 0).intValue());

        ObjectNode model = root.putObject("model").put("type", "BPE");
        model.put("unk_token", settings.unk())
                .put("continuing_subword_prefix", "")
                .put("end_of_word_suffix", "</w>");
        model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
        model.set("vocab", vocab);
        model.set("merges", merges);
        return root;
    }
}
