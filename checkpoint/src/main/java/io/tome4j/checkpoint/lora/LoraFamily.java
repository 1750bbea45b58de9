package io.tome4j.checkpoint.lora;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** Which family of models a LoRA was trained for, as far as its names and shapes tell. */
final class LoraFamily {
    static final String SD1 = "Stable Diffusion 1.x";
    static final String SD2 = "Stable Diffusion 2.x";
    static final String SDXL = "Stable Diffusion XL";
    static final String REFINER = "the refiner of Stable Diffusion XL";

    /** By the size of the text embeddings that cross-attention sees. */
    private static final Map<Long, String> BY_TEXT_SIZE = Map.of(768L, SD1, 1024L, SD2, 2048L, SDXL, 1280L, REFINER);

    private static final Pattern CROSS_ATTENTION = Pattern.compile(".*transformer_blocks[._]\\d+[._]attn2[._]to_[kv]");
    private static final Pattern SECOND_ENCODER = Pattern.compile("(lora_te2_|text_encoder_2\\.|te2\\.|.*clip_g\\.).*");
    private static final Pattern DEEP = Pattern.compile(".*attentions[._]\\d+[._]transformer_blocks[._][1-9].*");

    /** Of other networks than UNets, by parts of names that no UNet has. */
    private static final List<Map.Entry<Pattern, String>> OTHERS = List.of(
            Map.entry(Pattern.compile(".*(double_blocks|single_blocks|single_transformer_blocks)[._].*"), "Flux"),
            Map.entry(
                    Pattern.compile(".*(joint_blocks|attn[._]add_[kqv]_proj|context_block)[._]?.*"),
                    "Stable Diffusion 3"),
            Map.entry(Pattern.compile(".*(adaln_single|caption_projection)[._].*"), "PixArt"),
            Map.entry(Pattern.compile("lora_prior_.*"), "Stable Cascade"),
            Map.entry(Pattern.compile("(transformer\\.|lora_transformer_).*"), "a diffusion transformer"));

    private LoraFamily() {}

    /** The family of a file; empty where nothing tells. */
    static Optional<String> of(LoraFile file) {
        List<String> spelled = file.modules().stream().map(LoraModule::spelled).toList();
        for (var other : OTHERS) {
            if (spelled.stream().anyMatch(name -> other.getKey().matcher(name).matches())) {
                return Optional.of(other.getValue());
            }
        }
        String byTextSize = BY_TEXT_SIZE.get(textSize(file).orElse(0));
        if (byTextSize != null) {
            return Optional.of(byTextSize);
        }
        if (spelled.stream().anyMatch(name -> SECOND_ENCODER.matcher(name).matches())
                || spelled.stream().anyMatch(name -> DEEP.matcher(name).matches())) {
            return Optional.of(SDXL);
        }
        return byMetadata(file.tensors().metadata());
    }

    /** Elements of a token's text embedding, by what its cross-attention takes. */
    static OptionalLong textSize(LoraFile file) {
        return file.modules().stream()
                .filter(module -> CROSS_ATTENTION.matcher(module.spelled()).matches())
                .filter(module -> module.changesWeight() && !module.has(LoraPart.IA3))
                .mapToLong(module -> module.deltaShape()[1])
                .findFirst();
    }

    private static Optional<String> byMetadata(Map<String, String> metadata) {
        String base = metadata.getOrDefault("ss_base_model_version", "") + " "
                + metadata.getOrDefault("modelspec.architecture", "");
        if (base.contains("sdxl") || base.contains("-xl-")) {
            return Optional.of(SDXL);
        }
        if (base.contains("sd_v2") || base.contains("diffusion-v2")) {
            return Optional.of(SD2);
        }
        return base.contains("sd_v1") || base.contains("diffusion-v1") ? Optional.of(SD1) : Optional.empty();
    }

    /** The family of a model; empty for one of an unusual shape. */
    static Optional<String> of(List<LoraTarget> targets) {
        return Optional.ofNullable(BY_TEXT_SIZE.get(textSize(targets).orElse(0)));
    }

    static OptionalLong textSize(List<LoraTarget> targets) {
        return targets.stream()
                .filter(target -> !target.isText())
                .flatMap(target -> target.modules().stream()
                        .filter(module -> CROSS_ATTENTION.matcher(module).matches())
                        .map(module -> target.tensors().shape(module + ".weight")[1]))
                .mapToLong(Long::longValue)
                .findFirst();
    }
}
