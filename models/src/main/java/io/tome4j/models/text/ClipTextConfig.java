package io.tome4j.models.text;

import io.tome4j.checkpoint.Config;
import java.util.Set;

/**
 * What {@code text_encoder/config.json} says of the model, in its words.
 */
record ClipTextConfig(int vocabSize, int maxPositionEmbeddings, int numHiddenLayers, ClipEncoderLayer.Shape layer) {
    private static final String NAME = "CLIPTextModel";
    private static final int MOST_TOKENS = 1 << 24;
    private static final int MOST_POSITIONS = 1 << 13; // the mask has the square of it

    /** Reads the config; of one that describes both encoders of CLIP, what it says of the text encoder. */
    static ClipTextConfig of(Config whole) {
        Config config = whole.text("model_type", "").equals("clip") ? whole.object("text_config") : whole;
        config.only("model_type", "clip_text_model");
        if (config.has("architectures")
                && !config.texts("architectures").stream().allMatch(Set.of(NAME, NAME + "WithProjection")::contains)) {
            throw config.unsupported("architectures", "[\"" + NAME + "\"]");
        }
        ClipEncoderLayer.Shape layer = ClipEncoderLayer.Shape.of(config);
        ClipTextConfig read = new ClipTextConfig(
                config.integer("vocab_size", 49408, 1, MOST_TOKENS),
                config.integer("max_position_embeddings", 77, 1, MOST_POSITIONS),
                config.integer("num_hidden_layers"),
                layer);
        config.ignoreMovingAverage();
        config.requireAllRead();
        return read;
    }
}
