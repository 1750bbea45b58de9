package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.ConvertedTensors.Form;
import io.tome4j.checkpoint.ConvertedTensors.Stored;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a text encoder under transformers' names, as OpenCLIP stores them: the projections to queries, keys and
 * values as one, and that of the pooled output with rows as columns.
 */
final class OpenClipNames {
    private static final Map<String, String> IN_LAYER = Map.of(
            "layer_norm1", "ln_1",
            "layer_norm2", "ln_2",
            "self_attn.out_proj", "attn.out_proj",
            "mlp.fc1", "mlp.c_fc",
            "mlp.fc2", "mlp.c_proj");

    private static final List<String> PARAMETERS = List.of("weight", "bias");

    private OpenClipNames() {}

    /**
     * By its name in transformers where each tensor is stored.
     *
     * @param layers how many of the layers are used
     * @param projects whether the projection is
     */
    static Map<String, Stored> of(TensorView text, int layers, boolean projects) {
        String prefix = text.prefix();
        Map<String, Stored> names = new LinkedHashMap<>();
        names.put("text_model.embeddings.token_embedding.weight", Stored.same(prefix + "token_embedding.weight"));
        names.put("text_model.embeddings.position_embedding.weight", Stored.same(prefix + "positional_embedding"));
        for (int layer = 0; layer < layers; layer++) {
            String ours = "text_model.encoder.layers." + layer + ".";
            String theirs = prefix + "transformer.resblocks." + layer + ".";
            for (String parameter : PARAMETERS) {
                IN_LAYER.forEach((our, their) ->
                        names.put(ours + our + "." + parameter, Stored.same(theirs + their + "." + parameter)));
                String fused = theirs + "attn.in_proj_" + parameter;
                names.put(ours + "self_attn.q_proj." + parameter, new Stored(fused, Form.FIRST_THIRD));
                names.put(ours + "self_attn.k_proj." + parameter, new Stored(fused, Form.SECOND_THIRD));
                names.put(ours + "self_attn.v_proj." + parameter, new Stored(fused, Form.LAST_THIRD));
            }
        }
        for (String parameter : PARAMETERS) {
            names.put("text_model.final_layer_norm." + parameter, Stored.same(prefix + "ln_final." + parameter));
        }
        if (projects) {
            names.put(
                    "text_projection.weight",
                    text.has("text_projection")
                            ? new Stored(prefix + "text_projection", Form.TRANSPOSED)
                            : Stored.same(prefix + "text_projection.weight"));
        }
        return names;
    }
}
