package io.tome4j.diffusion.text;

import io.tome4j.checkpoint.Config;
import java.util.List;

/**
 * What {@code text_encoder/config.json} says of the model, in its words.
 *
 * @param quickGelu whether the activation is {@code x * sigmoid(1.702 x)} instead of the exact GELU
 */
record ClipTextConfig(
        int vocabSize,
        int maxPositionEmbeddings,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        boolean quickGelu,
        double layerNormEps) {

    static ClipTextConfig of(Config config) {
        config.only("model_type", "clip_text_model");
        config.only("architectures", List.of("CLIPTextModel"));
        config.only("is_decoder", false);
        config.only("is_encoder_decoder", false);
        config.only("add_cross_attention", false);
        String activation = config.text("hidden_act", "quick_gelu");
        if (!activation.equals("quick_gelu") && !activation.equals("gelu")) {
            throw config.unsupported("hidden_act", "\"quick_gelu\", \"gelu\"");
        }
        ClipTextConfig read = new ClipTextConfig(
                config.integer("vocab_size"),
                config.integer("max_position_embeddings", 77),
                config.integer("hidden_size"),
                config.integer("intermediate_size"),
                config.integer("num_hidden_layers"),
                config.integer("num_attention_heads"),
                activation.equals("quick_gelu"),
                config.number("layer_norm_eps", 1e-5));
        if (read.numAttentionHeads < 1 || read.hiddenSize % read.numAttentionHeads != 0) {
            throw config.unsupported("num_attention_heads", "a divisor of hidden_size, " + read.hiddenSize);
        }
        ignoreHousekeeping(config);
        config.requireAllRead();
        return read;
    }

    /** What transformers writes beside the model's shape, and what matters in training or after pooling only. */
    private static void ignoreHousekeeping(Config config) {
        config.ignore("torch_dtype", "dtype", "transformers_version", "return_dict", "use_cache", "torchscript");
        config.ignore("output_attentions", "output_hidden_states", "tie_word_embeddings", "gradient_checkpointing");
        config.ignore("dropout", "attention_dropout", "initializer_factor", "initializer_range");
        config.ignore("bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "projection_dim");
        config.ignore("id2label", "label2id", "problem_type", "chunk_size_feed_forward", "finetuning_task");
    }
}
