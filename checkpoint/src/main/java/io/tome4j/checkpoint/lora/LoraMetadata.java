package io.tome4j.checkpoint.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Alphas that diffusers and PEFT write beside the tensors: PEFT's config of each component, as JSON, with the component's
 * name before each key ({@code unet.lora_alpha}).
 */
final class LoraMetadata {
    private static final String KEY = "lora_adapter_metadata";
    private static final ObjectMapper JSON = new ObjectMapper();

    private LoraMetadata() {}

    static void putAlphas(Map<String, String> metadata, Collection<LoraModule> modules) {
        config(metadata).ifPresent(config -> modules.forEach(module -> put(config, module)));
    }

    private static Optional<JsonNode> config(Map<String, String> metadata) {
        try {
            return metadata.containsKey(KEY) ? Optional.of(JSON.readTree(metadata.get(KEY))) : Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty(); // a hint that nobody can read is none
        }
    }

    private static void put(JsonNode config, LoraModule module) {
        String prefix = module.spelled().startsWith("text_encoder_2.")
                ? "text_encoder_2."
                : module.spelled().startsWith("text_encoder.") ? "text_encoder." : "unet.";
        String name =
                module.spelled().startsWith(prefix) ? module.spelled().substring(prefix.length()) : module.spelled();
        JsonNode alpha = config.path(prefix + "lora_alpha");
        for (var special : config.path(prefix + "alpha_pattern").properties()) {
            if (isMeant(special.getKey(), name)) {
                alpha = special.getValue();
            }
        }
        if (alpha.isNumber()) {
            module.alpha(alpha.asDouble(), config.path(prefix + "use_rslora").asBoolean(false));
        }
    }

    /** As PEFT matches: a regular expression for the end of a name, from a dot on or from its beginning. */
    private static boolean isMeant(String pattern, String name) {
        try {
            Matcher matcher = Pattern.compile("(?:.*\\.)?(?:" + pattern + ")").matcher(name);
            return matcher.matches();
        } catch (PatternSyntaxException e) {
            return name.equals(pattern) || name.endsWith("." + pattern);
        }
    }
}
