package io.tome4j.models.text;

import io.tome4j.checkpoint.Config;
import java.util.List;

/**
 * What {@code text_encoder/config.json} says of the model, in its words.
 */
record ClipTextConfig(int vocabSize, int maxPositionEmbeddings, int numHiddenLayers, ClipEncoderLayer.Shape layer) {

    static ClipTextConfig of(Config config) {
        config.only("model_type", "clip_text_model");
        config.only("architectures", List.of("CLIPTextModel"));
        ClipEncoderLayer.Shape layer = ClipEncoderLayer.Shape.of(config);
        ClipTextConfig read = new ClipTextConfig(
                config.integer("vocab_size"),
                config.integer("max_position_embeddings", 77),
                config.integer("num_hidden_layers"),
                layer);
        config.requireAllRead();
        return read;
    }
}
