package io.tome4j.models.unet;

import io.tome4j.checkpoint.Config;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * What {@code unet/config.json} says of a UNet of Stable Diffusion 1.x or 2.x.
 *
 * @param inChannels channels of the latents, usually 4
 * @param outChannels channels of the prediction
 * @param sampleSize rows and columns of the latents that the model was trained at
 * @param blockOutChannels channels of each level, from the largest feature map to the smallest
 * @param downAttention whether each level has transformer blocks on the way down
 * @param upAttention whether each level has transformer blocks on the way up, first the smallest feature map
 * @param layersPerBlock residual blocks of a level on the way down (one more on the way up)
 * @param transformerLayers transformer blocks after each residual block of a level that has them; the mid block has as many
 *     as the last level
 * @param heads attention heads of each level
 * @param crossAttentionDim size of a text embedding
 * @param normNumGroups groups of the group normalisation
 * @param normEps what it adds to the variance
 * @param useLinearProjection whether the projections around the transformer blocks are stored as linear layers rather
 *     than as 1x1 convolutions
 * @param flipSinToCos whether the time embedding has its cosines first
 * @param freqShift shift of the time embedding's frequencies
 */
public record UNetConfig(
        int inChannels,
        int outChannels,
        int sampleSize,
        List<Integer> blockOutChannels,
        List<Boolean> downAttention,
        List<Boolean> upAttention,
        int layersPerBlock,
        List<Integer> transformerLayers,
        List<Integer> heads,
        int crossAttentionDim,
        int normNumGroups,
        double normEps,
        boolean useLinearProjection,
        boolean flipSinToCos,
        int freqShift) {

    private static final String DOWN = "DownBlock2D";
    private static final String CROSS_ATTENTION_DOWN = "CrossAttnDownBlock2D";
    private static final String UP = "UpBlock2D";
    private static final String CROSS_ATTENTION_UP = "CrossAttnUpBlock2D";

    /** Levels of feature maps, each half as wide as the one before. */
    public int levels() {
        return blockOutChannels.size();
    }

    /** Size of the time embedding that residual blocks see. */
    public int timeEmbeddingSize() {
        return 4 * blockOutChannels.get(0);
    }

    /** The blocks that the model is made of. */
    public UNetLayout layout() {
        return UNetLayout.of(this);
    }

    /**
     * Reads and checks a config.
     *
     * @throws io.tome4j.tensor.TomeException naming the first setting that is missing, wrong, unknown or unsupported
     */
    public static UNetConfig of(Config config) {
        requireWhatWeCompute(config);
        List<Integer> channels =
                Arrays.stream(config.integers("block_out_channels")).boxed().toList();
        int levels = channels.size();
        List<Boolean> down = attention(config, "down_block_types", DOWN, CROSS_ATTENTION_DOWN, levels);
        List<Boolean> up = attention(config, "up_block_types", UP, CROSS_ATTENTION_UP, levels);
        UNetConfig read = new UNetConfig(
                config.integer("in_channels", 4),
                config.integer("out_channels", 4),
                config.integer("sample_size", 64),
                channels,
                down,
                up,
                config.integer("layers_per_block", 2),
                transformerLayers(config, down, up),
                heads(config, channels),
                config.integer("cross_attention_dim", 1280),
                config.integer("norm_num_groups", 32),
                config.number("norm_eps", 1e-5),
                config.flag("use_linear_projection", false),
                config.flag("flip_sin_to_cos", true),
                config.integer("freq_shift", 0));
        config.requireAllRead();
        return read;
    }

    /** Settings of which one value is what Stable Diffusion 1.x and 2.x have; any other would change the result. */
    private static void requireWhatWeCompute(Config config) {
        config.only("act_fn", "silu");
        config.only("attention_type", "default");
        config.only("center_input_sample", false);
        config.only("class_embeddings_concat", false);
        config.only("conv_in_kernel", 3);
        config.only("conv_out_kernel", 3);
        config.only("downsample_padding", 1);
        config.only("dual_cross_attention", false);
        config.only("mid_block_only_cross_attention", false);
        config.only("mid_block_scale_factor", 1);
        config.only("mid_block_type", "UNetMidBlock2DCrossAttn");
        config.only("only_cross_attention", false);
        config.only("resnet_out_scale_factor", 1);
        config.only("resnet_skip_time_act", false);
        config.only("resnet_time_scale_shift", "default");
        config.only("time_embedding_type", "positional");
        config.absent(
                "addition_embed_type",
                "class_embed_type",
                "cross_attention_norm",
                "encoder_hid_dim",
                "encoder_hid_dim_type",
                "num_class_embeds",
                "projection_class_embeddings_input_dim",
                "reverse_transformer_layers_per_block",
                "time_cond_proj_dim",
                "time_embedding_act_fn",
                "time_embedding_dim",
                "timestep_post_act");
        config.ignore(
                "addition_embed_type_num_heads", // of an embedding that is not there
                "addition_time_embed_dim", // likewise
                "dropout", // of training
                "upcast_attention"); // of a kernel that diffusers itself no longer uses by default
    }

    private static List<Boolean> attention(Config config, String key, String plain, String cross, int levels) {
        List<String> types = config.texts(key);
        if (types.size() != levels) {
            throw config.unsupported(key, "as many blocks as 'block_out_channels' has levels, " + levels);
        }
        for (String type : types) {
            if (!type.equals(plain) && !type.equals(cross)) {
                throw config.unsupported(key, plain + ", " + cross);
            }
        }
        return types.stream().map(cross::equals).toList();
    }

    private static List<Integer> transformerLayers(Config config, List<Boolean> down, List<Boolean> up) {
        String key = "transformer_layers_per_block";
        int levels = down.size();
        List<Integer> layers = config.isList(key)
                ? Arrays.stream(config.integers(key)).boxed().toList()
                : Collections.nCopies(levels, config.integer(key, 1));
        boolean fits = layers.size() == levels;
        for (int level = 0; fits && level < levels; level++) {
            boolean attends = down.get(level) || up.get(levels - 1 - level) || level == levels - 1;
            fits = layers.get(level) >= (attends ? 1 : 0);
        }
        if (!fits) {
            throw config.unsupported(
                    key, "a number from 1, for all levels or for each of " + levels + "; 0 only where none attends");
        }
        return layers;
    }

    /** The key says head dim, and holds the number of heads: an old slip of diffusers that checkpoints rely on. */
    private static List<Integer> heads(Config config, List<Integer> channels) {
        String key = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
        List<Integer> heads = config.isList(key)
                ? Arrays.stream(config.integers(key)).boxed().toList()
                : Collections.nCopies(channels.size(), config.integer(key, 8));
        config.ignore("attention_head_dim");
        boolean divides = heads.size() == channels.size();
        for (int i = 0; divides && i < heads.size(); i++) {
            divides = heads.get(i) > 0 && channels.get(i) % heads.get(i) == 0;
        }
        if (!divides) {
            throw config.unsupported(key, "for each level a number of heads that divides its channels " + channels);
        }
        return heads;
    }
}
