package io.tome4j.checkpoint.lora;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whatever LoRA files may call a model's modules. All spellings of all modules are made and looked up: from an underscore
 * alone nobody can tell whether it was a dot.
 */
final class LoraNames {
    /** A module of a model. */
    record Place(LoraTarget target, String module) {}

    private static final String TEXT_MODEL = "text_model.";

    /** What attention layers of text encoders were called in diffusers' own code. */
    private static final Map<String, String> OLD_PROJECTIONS =
            Map.of("q_proj", "to_q", "k_proj", "to_k", "v_proj", "to_v", "out_proj", "to_out.0");

    private final Map<String, Place> places = new HashMap<>();

    LoraNames(List<LoraTarget> targets) {
        boolean oneEncoder = targets.stream().filter(LoraTarget::isText).count() == 1;
        for (LoraTarget target : targets) {
            for (String module : target.modules()) {
                Place place = new Place(target, module);
                if (target.isText()) {
                    text(place, oneEncoder);
                } else {
                    unet(place);
                }
            }
        }
    }

    /** The module that a file calls so. */
    Optional<Place> of(String spelled) {
        return Optional.ofNullable(places.get(spelled));
    }

    private void unet(Place place) {
        String ldm = place.target().ldmNames().getOrDefault(place.module(), place.module());
        for (String name : List.of(place.module(), ldm)) {
            for (String prefix : List.of("", "unet.", "diffusion_model.", "model.diffusion_model.", "lora_unet.")) {
                put(prefix + name, place);
            }
            for (String prefix : List.of("lora_unet_", "lycoris_", "lycoris_unet_", "unet_")) {
                put(prefix + underscored(name), place);
            }
        }
    }

    private void text(Place place, boolean only) {
        int number = place.target().number();
        String name =
                place.module().startsWith(TEXT_MODEL) ? place.module().substring(TEXT_MODEL.length()) : place.module();
        List<String> dotted = number == 1
                ? List.of("text_encoder.", "text_encoders.clip_l.transformer.", "clip_l.transformer.", "te1.")
                : List.of("text_encoder_2.", "text_encoders.clip_g.transformer.", "clip_g.transformer.", "te2.");
        List<String> underscored = number == 1 ? List.of("lora_te_", "lora_te1_") : List.of("lora_te2_");
        for (String spelled : List.of(TEXT_MODEL + name, name, old(TEXT_MODEL + name), old(name))) {
            dotted.forEach(prefix -> put(prefix + spelled, place));
            underscored.forEach(prefix -> put(prefix + underscored(spelled), place));
            if (only && spelled.startsWith(TEXT_MODEL)) {
                put(spelled, place);
            }
        }
    }

    private static String old(String name) {
        int dot = name.lastIndexOf('.') + 1;
        String projection = OLD_PROJECTIONS.get(name.substring(dot));
        return projection == null ? name : name.substring(0, dot) + projection;
    }

    private static String underscored(String name) {
        return name.replace('.', '_');
    }

    private void put(String spelled, Place place) {
        places.putIfAbsent(spelled, place);
    }
}
