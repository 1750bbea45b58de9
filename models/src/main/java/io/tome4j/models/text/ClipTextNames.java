package io.tome4j.models.text;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ModuleNames;
import java.util.List;

/**
 * The modules of CLIP's text encoder, under transformers' names, which LDM has as well: with {@code text_model.} before
 * them, which files may leave out.
 */
public final class ClipTextNames {
    /** What all names but the projection's begin with. */
    public static final String PREFIX = "text_model";

    private static final List<String> IN_LAYER = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.out_proj",
            "layer_norm1",
            "mlp.fc1",
            "mlp.fc2",
            "layer_norm2");

    private ClipTextNames() {}

    /**
     * Of all modules of the model that a config describes, and of the projection ({@code text_projection}) where it is of
     * the class that has one, {@code CLIPTextModelWithProjection}.
     *
     * @param config {@code text_encoder/config.json}
     * @throws io.tome4j.tensor.TomeException if it has a setting that is not supported
     */
    public static ModuleNames of(Config config) {
        ClipTextConfig read = ClipTextConfig.of(config);
        ModuleNames.Builder names = new ModuleNames.Builder();
        ModuleNames.Builder model = names.below(PREFIX);
        model.below("embeddings").add(List.of("token_embedding", "position_embedding"));
        for (int layer = 0; layer < read.numHiddenLayers(); layer++) {
            model.below("encoder.layers." + layer).add(IN_LAYER);
        }
        model.add(List.of("final_layer_norm"));
        if (config.has("architectures") && config.texts("architectures").contains("CLIPTextModelWithProjection")) {
            names.add(List.of("text_projection"));
        }
        return names.build();
    }
}
