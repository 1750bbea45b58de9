package io.tome4j.models.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.JsonFile;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the small files beside a vocabulary say, taken together as transformers does it:
 *
 * <ol>
 *   <li>Where {@code tokenizer_config.json} lists {@code added_tokens_decoder}, that list is all.
 *   <li>Else {@code special_tokens_map.json} has the last word on the markers, and added tokens are those of
 *       {@code added_tokens.json} and of {@code tokenizer.json}.
 *   <li>They are added in the order of their ids; then come markers and additional special tokens that are in no list.
 * </ol>
 *
 * What would change ids and is not supported is an error.
 *
 * @param tokens what is to be found before words are, each text once, in the order in which it is added
 */
record TokenizerSettings(String bos, String eos, String unk, String pad, List<AddedToken> tokens, int maxLength) {
    private static final String LIST = "added_tokens_decoder";
    private static final int CLIP_LENGTH = 77;
    static final String START = "<|startoftext|>";
    static final String END = "<|endoftext|>";

    /** Markers that any tokenizer may have, in the order in which transformers adds them. */
    private static final List<String> MARKERS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    /** Lists of further special tokens, under the name they had and the one they have now. */
    private static final Set<String> FURTHER = Set.of("additional_special_tokens", "extra_special_tokens");

    private static final int MOST_TOKENS = 1 << 24;

    private static final Map<String, String> DEFAULTS = new LinkedHashMap<>();

    static {
        DEFAULTS.put("bos_token", START);
        DEFAULTS.put("eos_token", END);
        DEFAULTS.put("unk_token", END);
        DEFAULTS.put("pad_token", END);
    }

    /** Settings that have one value for CLIP; another one would change ids. */
    private static final Map<String, List<String>> ONLY = Map.of(
            "add_prefix_space", List.of("false"),
            "do_lower_case", List.of("true"),
            "split_special_tokens", List.of("false"),
            "padding_side", List.of("\"right\""),
            "truncation_side", List.of("\"right\""),
            "backend", List.of("\"tokenizers\""),
            "tokenizer_class", List.of("\"CLIPTokenizer\"", "\"CLIPTokenizerFast\""));

    /** Settings that do not touch the ids of a prompt. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "errors",
            "name_or_path",
            "special_tokens_map_file",
            "tokenizer_file",
            "vocab_file",
            "merges_file",
            "clean_up_tokenization_spaces",
            "processor_class",
            "is_local",
            "local_files_only",
            "use_fast",
            "model_input_names",
            "verbose",
            "init_inputs",
            "transformers_version",
            "auto_map",
            "pad_token_type_id",
            "chat_template");

    /** @param tokenizerJson the content of {@code tokenizer.json}, empty if there is none */
    static TokenizerSettings read(Path folder, ObjectNode tokenizerJson) {
        Path configFile = folder.resolve("tokenizer_config.json");
        Markers markers = new Markers();
        Map<Integer, AddedToken> listed = new TreeMap<>(); // by id
        boolean listIsAll = false;
        int maxLength = CLIP_LENGTH;
        if (Files.exists(configFile)) {
            ObjectNode config = JsonFile.object(configFile);
            readConfig(config, configFile, markers);
            maxLength = maxLength(config, configFile);
            listIsAll = config.hasNonNull(LIST);
            readList(config.path(LIST), configFile, listed);
        }
        if (!listIsAll) {
            readMap(folder.resolve("special_tokens_map.json"), markers);
            readAddedTokens(folder.resolve("added_tokens.json"), markers, listed);
            for (JsonNode token : tokenizerJson.path("added_tokens")) {
                Path file = folder.resolve("tokenizer.json");
                listed.put(id(token.path("id"), file, "added_tokens"), token(token, false, file, "added_tokens"));
            }
        }
        return new TokenizerSettings(
                markers.content("bos_token"),
                markers.content("eos_token"),
                markers.content("unk_token"),
                markers.content("pad_token"),
                inOrder(listed, markers),
                maxLength);
    }

    /** What the files beside CLIP's own vocabulary say, but for the token to pad with. */
    static TokenizerSettings ofClip(String pad) {
        Markers markers = new Markers();
        markers.byKey.put("pad_token", AddedToken.special(pad));
        return new TokenizerSettings(START, END, END, pad, inOrder(Map.of(), markers), CLIP_LENGTH);
    }

    /** What files say of markers and further special tokens. */
    private static final class Markers {
        private final Map<String, AddedToken> byKey = new LinkedHashMap<>();
        private final Map<String, AddedToken> further = new LinkedHashMap<>(); // by content

        Markers() {
            MARKERS.stream()
                    .filter(DEFAULTS::containsKey)
                    .forEach(key -> byKey.put(key, AddedToken.special(DEFAULTS.getOrDefault(key, END))));
        }

        /** Whether the key is one of those. */
        boolean take(String key, JsonNode value, boolean special, Path file) {
            if (MARKERS.contains(key)) {
                if (!value.isNull()) {
                    byKey.put(key, token(value, special, file, key));
                }
                return true;
            }
            if (FURTHER.contains(key) && (value.isArray() || value.isEmpty())) {
                value.forEach(one -> {
                    AddedToken token = token(one, true, file, key);
                    further.putIfAbsent(token.content(), token);
                });
                return true;
            }
            return value.isNull();
        }

        String content(String key) {
            AddedToken token = byKey.get(key);
            return token == null ? END : token.content();
        }

        boolean has(String content) {
            return further.containsKey(content)
                    || byKey.values().stream().anyMatch(token -> token.content().equals(content));
        }
    }

    private static List<AddedToken> inOrder(Map<Integer, AddedToken> listed, Markers markers) {
        Map<String, AddedToken> tokens = new LinkedHashMap<>();
        listed.values().forEach(token -> tokens.put(token.content(), token));
        Set<String> inLists = Set.copyOf(tokens.keySet());
        for (String key : MARKERS) {
            AddedToken token = markers.byKey.get(key);
            if (token != null && !inLists.contains(token.content())) {
                tokens.put(token.content(), token); // of two markers with one text the later one counts
            }
        }
        markers.further.values().forEach(token -> tokens.putIfAbsent(token.content(), token));
        return List.copyOf(tokens.values());
    }

    private static void readList(JsonNode list, Path file, Map<Integer, AddedToken> listed) {
        list.properties().forEach(entry -> {
            if (!entry.getKey().matches("\\d{1,9}") || !entry.getValue().isObject()) {
                throw unsupported(file, LIST, list, "an object that gives ids their tokens");
            }
            listed.put(Integer.valueOf(entry.getKey()), token(entry.getValue(), false, file, LIST));
        });
    }

    private static void readMap(Path file, Markers markers) {
        if (Files.exists(file)) {
            JsonFile.object(file).properties().forEach(entry -> {
                if (!markers.take(entry.getKey(), entry.getValue(), true, file)) {
                    throw unsupported(file, entry.getKey(), entry.getValue(), "no such setting");
                }
            });
        }
    }

    private static void readAddedTokens(Path file, Markers markers, Map<Integer, AddedToken> listed) {
        if (Files.exists(file)) {
            JsonFile.object(file).properties().forEach(entry -> {
                String content = entry.getKey();
                AddedToken token = markers.has(content) ? AddedToken.special(content) : AddedToken.plain(content);
                listed.put(id(entry.getValue(), file, content), token);
            });
        }
    }

    private static int id(JsonNode value, Path file, String key) {
        if (!value.isIntegralNumber()
                || !value.canConvertToInt()
                || value.intValue() < 0
                || value.intValue() > MOST_TOKENS) {
            throw unsupported(file, key, value, "an id from 0 to " + MOST_TOKENS);
        }
        return value.intValue();
    }

    private static void readConfig(ObjectNode config, Path file, Markers markers) {
        List<String> unknown = new ArrayList<>();
        config.properties().forEach(entry -> {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            List<String> only = ONLY.get(key);
            if (only != null) {
                if (!value.isNull() && !only.contains(value.toString())) {
                    throw unsupported(file, key, value, String.join(", ", only));
                }
            } else if (!key.equals(LIST)
                    && !key.equals("model_max_length")
                    && !WITHOUT_EFFECT.contains(key)
                    && !markers.take(key, value, false, file)) {
                unknown.add("'" + key + "': " + value);
            }
        });
        if (!unknown.isEmpty()) {
            throw new TomeException("Unknown in " + file + ": " + String.join(", ", unknown)
                    + ". tome4j does not know what this setting means for the ids, and will not guess.");
        }
    }

    private static int maxLength(ObjectNode config, Path file) {
        JsonNode value = config.path("model_max_length");
        boolean unset = value.isMissingNode() || value.isNull() || value.asDouble() > 1e9; // how transformers writes it
        if (unset) {
            return CLIP_LENGTH;
        }
        if (!value.isIntegralNumber() || value.longValue() < 3 || value.longValue() > 4096) {
            throw unsupported(file, "model_max_length", value, "an integer from 3 to 4096 (77 in Stable Diffusion)");
        }
        return value.intValue();
    }

    private static AddedToken token(JsonNode value, boolean special, Path file, String key) {
        return AddedToken.read(value, special, file + ": '" + key + "' is " + value);
    }

    private static TomeException unsupported(Path file, String key, @Nullable JsonNode value, String supported) {
        return new TomeException(
                "Unsupported in " + file + ": '" + key + "' is " + value + "; supported: " + supported + ".");
    }
}
