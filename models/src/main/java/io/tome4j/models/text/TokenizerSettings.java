package io.tome4j.models.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code tokenizer_config.json} and {@code special_tokens_map.json} say, taken together as transformers does it:
 * the map has the last word, unless the config lists {@code added_tokens_decoder}. What would change ids and is not
 * supported is an error.
 *
 * @param tokens each special token once
 */
record TokenizerSettings(
        String bos, String eos, String unk, SpecialToken pad, List<SpecialToken> tokens, int maxLength) {
    private static final int CLIP_LENGTH = 77;
    private static final String START = "<|startoftext|>";
    private static final String END = "<|endoftext|>";

    /** In the order in which transformers adds them: a later one with the same text replaces an earlier one. */
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

    /**
     * @param tokenizerJson the content of {@code tokenizer.json} if the vocabulary comes from there, else empty: its
     *     list of added tokens says how these are looked for
     */
    static TokenizerSettings read(Path folder, ObjectNode tokenizerJson) {
        Path configFile = folder.resolve("tokenizer_config.json");
        Path mapFile = folder.resolve("special_tokens_map.json");
        Map<String, SpecialToken> special = new LinkedHashMap<>();
        DEFAULTS.forEach((key, content) -> special.put(key, new SpecialToken(content, false)));
        Map<String, SpecialToken> listed = new LinkedHashMap<>();
        int maxLength = CLIP_LENGTH;
        if (Files.exists(configFile)) {
            ObjectNode config = TokenizerFiles.readObject(configFile);
            readConfig(config, configFile, special, listed);
            maxLength = maxLength(config, configFile);
        }
        if (listed.isEmpty() && Files.exists(mapFile)) {
            TokenizerFiles.readObject(mapFile).properties().forEach(entry -> {
                if (!readToken(entry.getKey(), entry.getValue(), mapFile, special)) {
                    throw unsupported(mapFile, entry.getKey(), entry.getValue(), "no such setting");
                }
            });
        }
        for (JsonNode token : tokenizerJson.path("added_tokens")) {
            listed.put(token.path("content").asText(), token(token, folder.resolve("tokenizer.json"), "added_tokens"));
        }
        Map<String, SpecialToken> byContent = new LinkedHashMap<>();
        special.values().forEach(t -> byContent.put(t.content(), listed.getOrDefault(t.content(), t)));
        for (String content : listed.keySet()) {
            if (!byContent.containsKey(content)) {
                throw new TomeException("Unsupported in " + folder + ": the added token '" + content
                        + "', which is none of bos, eos, unk and pad token.");
            }
        }
        return new TokenizerSettings(
                content(special, "bos_token"),
                content(special, "eos_token"),
                content(special, "unk_token"),
                new SpecialToken(content(special, "pad_token"), false),
                List.copyOf(byContent.values()),
                maxLength);
    }

    private static String content(Map<String, SpecialToken> special, String key) {
        SpecialToken token = special.get(key);
        return token == null ? END : token.content();
    }

    private static void readConfig(
            ObjectNode config, Path file, Map<String, SpecialToken> special, Map<String, SpecialToken> listed) {
        List<String> unknown = new ArrayList<>();
        config.properties().forEach(entry -> {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            List<String> only = ONLY.get(key);
            if (only != null) {
                if (!value.isNull() && !only.contains(value.toString())) {
                    throw unsupported(file, key, value, String.join(", ", only));
                }
            } else if (key.equals("added_tokens_decoder")) {
                value.forEach(token -> listed.put(token.path("content").asText(), token(token, file, key)));
            } else if (!key.equals("model_max_length")
                    && !WITHOUT_EFFECT.contains(key)
                    && !readToken(key, value, file, special)) {
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

    /** Whether the setting is one about special tokens that adds nothing to the four known ones. */
    private static boolean readToken(String key, JsonNode value, Path file, Map<String, SpecialToken> special) {
        boolean known = DEFAULTS.containsKey(key);
        if (known && !value.isNull()) {
            special.put(key, token(value, file, key));
        }
        return known || value.isNull() || (key.endsWith("_special_tokens") && value.isEmpty());
    }

    private static SpecialToken token(JsonNode value, Path file, String key) {
        if (value.isTextual()) {
            return new SpecialToken(value.textValue(), false);
        }
        boolean plain = value.path("content").isTextual();
        for (String flag : new String[] {"lstrip", "rstrip", "single_word"}) {
            plain &= !value.path(flag).asBoolean();
        }
        if (!plain) {
            throw unsupported(file, key, value, "a string, or an object with 'content' whose flags are false");
        }
        return new SpecialToken(
                value.path("content").asText(), value.path("normalized").asBoolean());
    }

    private static TomeException unsupported(Path file, String key, @Nullable JsonNode value, String supported) {
        return new TomeException(
                "Unsupported in " + file + ": '" + key + "' is " + value + "; supported: " + supported + ".");
    }
}
