package io.tome4j.models.text;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.LayerNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * One layer of CLIP's encoders of text and of images: self-attention and a feed-forward network, each on the normalised
 * residual stream.
 */
public final class ClipEncoderLayer {
    private final LayerNorm layerNorm1;
    private final Linear qProj;
    private final Linear kProj;
    private final Linear vProj;
    private final Linear outProj;
    private final LayerNorm layerNorm2;
    private final Linear fc1;
    private final Linear fc2;
    private final int heads;
    private final boolean quickGelu;
    private final AttentionKernel kernel;

    /**
     * What the config says of each layer.
     *
     * @param quickGelu whether the activation is {@code x * sigmoid(1.702 x)} instead of the exact GELU
     */
    public record Shape(
            int hiddenSize, int intermediateSize, int numAttentionHeads, boolean quickGelu, double layerNormEps) {
        private static final int MOST_CHANNELS = 1 << 20;

        /**
         * Reads the settings that both encoders have, and passes over those that transformers writes beside the model's
         * shape or that matter in training and to models that write text only.
         *
         * @throws io.tome4j.tensor.TomeException if one is not supported
         */
        public static Shape of(Config config) {
            String activation = config.text("hidden_act", "quick_gelu");
            if (!activation.equals("quick_gelu") && !activation.equals("gelu")) {
                throw config.unsupported("hidden_act", "\"quick_gelu\", \"gelu\"");
            }
            Shape read = new Shape(
                    config.integer("hidden_size"),
                    config.integer("intermediate_size"),
                    config.integer("num_attention_heads"),
                    activation.equals("quick_gelu"),
                    config.positive("layer_norm_eps", 1e-5));
            if (read.hiddenSize < 1 || read.hiddenSize > MOST_CHANNELS) {
                throw config.unsupported("hidden_size", "1 to " + MOST_CHANNELS);
            }
            if (read.intermediateSize < 1 || read.intermediateSize > MOST_CHANNELS) {
                throw config.unsupported("intermediate_size", "1 to " + MOST_CHANNELS);
            }
            if (read.numAttentionHeads < 1 || read.hiddenSize % read.numAttentionHeads != 0) {
                throw config.unsupported("num_attention_heads", "a divisor of hidden_size, " + read.hiddenSize);
            }
            config.only("is_decoder", false);
            config.only("is_encoder_decoder", false);
            config.only("add_cross_attention", false);
            ignoreHousekeeping(config);
            return read;
        }

        private static void ignoreHousekeeping(Config config) {
            config.ignore("torch_dtype", "dtype", "transformers_version", "return_dict", "use_cache", "torchscript");
            config.ignore("output_attentions", "output_hidden_states", "tie_word_embeddings", "gradient_checkpointing");
            config.ignore("dropout", "attention_dropout", "initializer_factor", "initializer_range");
            config.ignore("bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "projection_dim");
            config.ignore("id2label", "label2id", "problem_type", "chunk_size_feed_forward", "finetuning_task");
            // transformers 4 wrote the settings of text generation into every config
            config.ignore("do_sample", "early_stopping", "max_length", "min_length", "num_beams", "num_beam_groups");
            config.ignore("temperature", "top_k", "top_p", "typical_p", "diversity_penalty", "length_penalty");
            config.ignore("repetition_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size");
            config.ignore("num_return_sequences", "output_scores", "return_dict_in_generate", "bad_words_ids");
            config.ignore("forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "suppress_tokens");
            config.ignore("begin_suppress_tokens", "exponential_decay_length_penalty", "decoder_start_token_id");
            config.ignore("cross_attention_hidden_size", "prefix", "task_specific_params", "tie_encoder_decoder");
            config.ignore("tokenizer_class", "use_bfloat16", "tf_legacy_loss");
            config.only("pruned_heads", Map.of());
        }
    }

    /** Takes the layer's tensors below {@code weights}. */
    public ClipEncoderLayer(Weights weights, Shape config, AttentionKernel kernel) {
        int channels = config.hiddenSize();
        Weights attention = weights.scope("self_attn");
        this.layerNorm1 = LayerNorm.of(weights.scope("layer_norm1"), channels, config.layerNormEps());
        this.qProj = Linear.of(attention.scope("q_proj"), channels, channels);
        this.kProj = Linear.of(attention.scope("k_proj"), channels, channels);
        this.vProj = Linear.of(attention.scope("v_proj"), channels, channels);
        this.outProj = Linear.of(attention.scope("out_proj"), channels, channels);
        this.layerNorm2 = LayerNorm.of(weights.scope("layer_norm2"), channels, config.layerNormEps());
        this.fc1 = Linear.of(weights.scope("mlp.fc1"), channels, config.intermediateSize());
        this.fc2 = Linear.of(weights.scope("mlp.fc2"), config.intermediateSize(), channels);
        this.heads = config.numAttentionHeads();
        this.quickGelu = config.quickGelu();
        this.kernel = kernel;
    }

    /**
     * @param x {@code [B, N, C]}
     * @param mask {@code [N, N]}, added to the scores
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x, Tensor mask) {
        return forward(x, (q, k, v) -> kernel.attend(q, k, v, heads, mask));
    }

    /**
     * As the encoder of images has it: each token sees all others.
     *
     * @param x {@code [B, N, C]}
     * @return {@code [B, N, C]}
     */
    public Tensor forward(Tensor x) {
        return forward(x, (q, k, v) -> kernel.attend(q, k, v, heads));
    }

    private interface Attention {
        Tensor attend(Tensor q, Tensor k, Tensor v);
    }

    private Tensor forward(Tensor x, Attention attention) {
        try (var scope = TensorScope.open()) {
            Tensor normed = layerNorm1.forward(x);
            Tensor attended = attention.attend(qProj.forward(normed), kProj.forward(normed), vProj.forward(normed));
            Tensor middle = outProj.forward(attended).add_(x);
            Tensor wide = fc1.forward(layerNorm2.forward(middle)); // [B, N, intermediate]
            return scope.release(fc2.forward(activate(wide)).add_(middle));
        }
    }

    private Tensor activate(Tensor x) {
        return quickGelu ? x.mul(torch.sigmoid_(x.mul(new Scalar(1.702)))) : torch.gelu(x);
    }
}
