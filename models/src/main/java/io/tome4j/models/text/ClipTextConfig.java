package io.tome4j.models.text;

import io.tome4j.checkpoint.Config;
import java.util.Set;

/**
 * What {@code text_encoder/config.json} says of the model, in its words.
 *
 * @param eosTokenId the id that marks the end of a text; 2 in old configs, which means the largest id
 * @param projectionDim size of a text's own embedding, where the model projects it
 */
record ClipTextConfig(
        int vocabSize,
        int maxPositionEmbeddings,
        int numHiddenLayers,
        int eosTokenId,
        int projectionDim,
        ClipEncoderLayer.Shape layer) {
    private static final String NAME = "CLIPTextModel";
    private static final int MOST_TOKENS = 1 << 24;
    private static final int MOST_CHANNELS = 1 << 20;
    private static final int MOST_POSITIONS = 1 << 13; // the mask has the square of it

    /** Reads the config; of one that describes both encoders of CLIP, what it says of the text encoder. */
    static ClipTextConfig of(Config whole) {
        Config config = whole.text("model_type", "").equals("clip") ? whole.object("text_config") : whole;
        config.only("model_type", "clip_text_model");
        if (config.has("architectures")
                && !config.texts("architectures").stream().allMatch(Set.of(NAME, NAME + "WithProjection")::contains)) {
            throw config.unsupported("architectures", "[\"" + NAME + "\"]");
        }
        int eosTokenId = config.integer("eos_token_id", 49407);
        int projectionDim = config.integer("projection_dim", 512, 1, MOST_CHANNELS);
        ClipEncoderLayer.Shape layer = ClipEncoderLayer.Shape.of(config);
        ClipTextConfig read = new ClipTextConfig(
                config.integer("vocab_size", 49408, 1, MOST_TOKENS),
                config.integer("max_position_embeddings", 77, 1, MOST_POSITIONS),
                config.integer("num_hidden_layers"),
                eosTokenId,
                projectionDim,
                layer);
        config.ignoreMovingAverage();
        config.requireAllRead();
        return read;
    }
}
