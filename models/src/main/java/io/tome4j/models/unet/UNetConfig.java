package io.tome4j.models.unet;

import io.tome4j.checkpoint.Config;
import io.tome4j.merging.TokenGrid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * What {@code unet/config.json} says of a UNet of Stable Diffusion 1.x, 2.x or XL.
 *
 * @param inChannels channels of the latents, usually 4
 * @param outChannels channels of the prediction
 * @param sampleSize rows and columns of the latents that the model was trained at
 * @param blockOutChannels channels of each level, from the largest feature map to the smallest
 * @param downAttention whether each level has transformer blocks on the way down
 * @param upAttention whether each level has transformer blocks on the way up, first the smallest feature map
 * @param middle what lies between the way down and the way up
 * @param layersPerBlock residual blocks of each level on the way down (one more on the way up)
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
 * @param textTime what is added to the time embedding; empty for nothing
 * @param guidanceSize sines and cosines of the guidance scale, which the time embedding takes in; 0 where a model is not told
 */
public record UNetConfig(
        int inChannels,
        int outChannels,
        TokenGrid sampleSize,
        List<Integer> blockOutChannels,
        List<Boolean> downAttention,
        List<Boolean> upAttention,
        Middle middle,
        List<Integer> layersPerBlock,
        List<Integer> transformerLayers,
        List<Integer> heads,
        int crossAttentionDim,
        int normNumGroups,
        double normEps,
        boolean useLinearProjection,
        boolean flipSinToCos,
        int freqShift,
        Optional<TextTime> textTime,
        int guidanceSize) {

    private static final String DOWN = "DownBlock2D";
    private static final String CROSS_ATTENTION_DOWN = "CrossAttnDownBlock2D";
    private static final String UP = "UpBlock2D";
    private static final String CROSS_ATTENTION_UP = "CrossAttnUpBlock2D";

    private static final int MOST_CHANNELS = 1 << 16;
    private static final int MOST_LAYERS = 1 << 10;

    /** Diffusers' pipeline takes this size where an older program wrote a smaller one. */
    private static final int SIZE_BEFORE_0_9 = 64;

    /**
     * An embedding of a pooled text embedding and of numbers such as sizes that is added to the time embedding,
     * {@code addition_embed_type} {@code text_time}.
     *
     * @param timeIdSize sines and cosines of each number
     * @param inputSize size of all of it
     */
    public record TextTime(int timeIdSize, int inputSize) {}

    /** What lies between the way down and the way up. */
    public enum Middle {
        /** Transformer blocks between two residual blocks, {@code UNetMidBlock2DCrossAttn}. */
        ATTENDING,
        /** A residual block, {@code UNetMidBlock2D}. */
        RESIDUAL,
        /** Nothing, {@code null}: as in models that were made smaller by leaving blocks out (arXiv 2305.15798). */
        NONE
    }

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
     * The same, with other transformer blocks on the way down and in the middle, as ControlNets may have fewer.
     *
     * @param channels of its input
     * @param transformersAt transformer blocks at a level
     * @param transformersBetween transformer blocks of the middle
     */
    UNetConfig likeEncoder(int channels, IntUnaryOperator transformersAt, int transformersBetween) {
        List<Integer> transformers = new ArrayList<>(transformerLayers);
        List<Boolean> attending = new ArrayList<>();
        for (int level = 0; level < levels(); level++) {
            int count = transformersAt.applyAsInt(level);
            attending.add(count > 0);
            if (count > 0) {
                transformers.set(level, count);
            }
        }
        if (transformersBetween > 0) {
            transformers.set(levels() - 1, transformersBetween);
        }
        Middle between = middle == Middle.NONE ? middle : transformersBetween > 0 ? Middle.ATTENDING : Middle.RESIDUAL;
        return new UNetConfig(
                channels,
                outChannels,
                sampleSize,
                blockOutChannels,
                attending,
                upAttention,
                between,
                layersPerBlock,
                transformers,
                heads,
                crossAttentionDim,
                normNumGroups,
                normEps,
                useLinearProjection,
                flipSinToCos,
                freqShift,
                textTime,
                guidanceSize);
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
        if (levels == 0 || channels.stream().anyMatch(count -> count < 1 || count > MOST_CHANNELS)) {
            throw config.unsupported("block_out_channels", "one or more numbers from 1 to " + MOST_CHANNELS);
        }
        List<Boolean> down = attention(config, "down_block_types", DOWN, CROSS_ATTENTION_DOWN, levels);
        List<Boolean> up = attention(config, "up_block_types", UP, CROSS_ATTENTION_UP, levels);
        Middle middle = middle(config);
        requireSelfAttention(config, attending(down, up, Middle.NONE));
        UNetConfig read = new UNetConfig(
                config.integer("in_channels", 4, 1, MOST_CHANNELS),
                config.integer("out_channels", 4, 1, MOST_CHANNELS),
                sampleSize(config),
                channels,
                down,
                up,
                middle,
                layersPerBlock(config, levels),
                transformerLayers(config, attending(down, up, middle)),
                heads(config, channels),
                crossAttentionDim(config, attending(down, up, middle)),
                config.integer("norm_num_groups", 32, 1, MOST_CHANNELS),
                config.positive("norm_eps", 1e-5),
                config.flag("use_linear_projection", false),
                config.flag("flip_sin_to_cos", true),
                config.integer("freq_shift", 0),
                textTime(config),
                guidanceSize(config));
        read.requireGroupsThatDivide(config);
        if (read.freqShift == channels.get(0) / 2
                || read.textTime
                        .filter(added -> read.freqShift == added.timeIdSize / 2)
                        .isPresent()) {
            throw config.unsupported(
                    "freq_shift", "any but half of the first of block_out_channels, and of addition_time_embed_dim");
        }
        config.requireAllRead();
        return read;
    }

    /** Settings of which one value is what Stable Diffusion has; any other would change the result. */
    private static void requireWhatWeCompute(Config config) {
        config.only("act_fn", "silu");
        config.only("attention_type", "default");
        config.only("center_input_sample", false);
        config.only("class_embeddings_concat", false);
        config.only("conv_in_kernel", 3);
        config.only("conv_out_kernel", 3);
        config.only("downsample_padding", 1);
        config.only("dual_cross_attention", false);
        config.only("mid_block_scale_factor", 1);
        config.only("resnet_out_scale_factor", 1);
        config.only("resnet_skip_time_act", false);
        config.only("resnet_time_scale_shift", "default");
        config.only("time_embedding_type", "positional");
        config.absent(
                "class_embed_type",
                "cross_attention_norm",
                "encoder_hid_dim",
                "encoder_hid_dim_type",
                "num_class_embeds",
                "reverse_transformer_layers_per_block",
                "time_embedding_act_fn",
                "time_embedding_dim",
                "timestep_post_act");
        config.ignore(
                "addition_embed_type_num_heads", // of an embedding that is not there
                "dropout", // of training
                "mid_block_only_cross_attention", // of UNetMidBlock2DSimpleCrossAttn
                "upcast_attention"); // of a kernel that diffusers itself no longer uses by default
        config.ignoreMovingAverage();
    }

    private static int guidanceSize(Config config) {
        String key = "time_cond_proj_dim";
        if (!config.has(key)) {
            return 0;
        }
        if (config.integer(key) < 4 || config.integer(key) > MOST_CHANNELS) {
            throw config.unsupported(key, "null, 4 to " + MOST_CHANNELS);
        }
        return config.integer(key);
    }

    private static Optional<TextTime> textTime(Config config) {
        String key = "addition_embed_type";
        String size = "addition_time_embed_dim";
        String input = "projection_class_embeddings_input_dim";
        if (!config.has(key)) {
            config.absent(input);
            config.ignore(size); // of an embedding that is not there
            return Optional.empty();
        }
        if (!config.text(key).equals("text_time")) {
            throw config.unsupported(key, "\"text_time\", null");
        }
        if (config.integer(size) < 2 || config.integer(size) > MOST_CHANNELS) {
            throw config.unsupported(size, "2 to " + MOST_CHANNELS);
        }
        if (config.integer(input) < 1 || config.integer(input) > MOST_CHANNELS) {
            throw config.unsupported(input, "1 to " + MOST_CHANNELS);
        }
        return Optional.of(new TextTime(config.integer(size), config.integer(input)));
    }

    private static Middle middle(Config config) {
        String key = "mid_block_type";
        if (config.isNull(key)) {
            return Middle.NONE;
        }
        return switch (config.text(key, "UNetMidBlock2DCrossAttn")) {
            case "UNetMidBlock2DCrossAttn" -> Middle.ATTENDING;
            case "UNetMidBlock2D" -> Middle.RESIDUAL;
            default -> throw config.unsupported(key, "\"UNetMidBlock2DCrossAttn\", \"UNetMidBlock2D\", null");
        };
    }

    /** Which levels have transformer blocks anywhere. */
    private static List<Boolean> attending(List<Boolean> down, List<Boolean> up, Middle middle) {
        int last = down.size() - 1;
        return IntStream.rangeClosed(0, last)
                .mapToObj(level ->
                        down.get(level) || up.get(last - level) || (level == last && middle == Middle.ATTENDING))
                .toList();
    }

    /** {@code only_cross_attention} means blocks on the way down and up, and no others. */
    private static void requireSelfAttention(Config config, List<Boolean> attending) {
        String key = "only_cross_attention";
        List<Boolean> only = config.flagOrEach(key, false, attending.size());
        for (int level = 0; level < only.size(); level++) {
            if (only.get(level) && attending.get(level)) {
                throw config.unsupported(key, "false wherever a level has transformer blocks");
            }
        }
    }

    private static TokenGrid sampleSize(Config config) {
        String key = "sample_size";
        List<Integer> sides = config.integerOrEach(key, SIZE_BEFORE_0_9, 2);
        if (sides.stream().anyMatch(side -> side < 1 || side > MOST_CHANNELS)) {
            throw config.unsupported(key, "a number of latents from 1 to " + MOST_CHANNELS + ", or height and width");
        }
        if (!config.isList(key) && sides.get(0) < SIZE_BEFORE_0_9 && writtenBefore0_9(config)) {
            return new TokenGrid(SIZE_BEFORE_0_9, SIZE_BEFORE_0_9);
        }
        return new TokenGrid(sides.get(0), sides.get(1));
    }

    private static boolean writtenBefore0_9(Config config) {
        return config.text("_diffusers_version", "").matches("0\\.[0-8](\\D.*)?");
    }

    private static List<Integer> layersPerBlock(Config config, int levels) {
        String key = "layers_per_block";
        List<Integer> layers = config.integerOrEach(key, 2, levels);
        if (layers.stream().anyMatch(count -> count < 1 || count > MOST_LAYERS)) {
            throw config.unsupported(key, "numbers from 1 to " + MOST_LAYERS);
        }
        return layers;
    }

    /** Texts have embeddings of one size, so that all who see them must agree; what others say does not matter. */
    private static int crossAttentionDim(Config config, List<Boolean> attending) {
        String key = "cross_attention_dim";
        List<Integer> sizes = config.integerOrEach(key, 1280, attending.size());
        List<Integer> used = IntStream.range(0, sizes.size())
                .filter(attending::get)
                .mapToObj(sizes::get)
                .distinct()
                .toList();
        if (used.size() > 1) {
            throw config.unsupported(key, "the same size for all levels with transformer blocks");
        }
        int size = used.isEmpty() ? sizes.get(0) : used.get(0);
        if (size < 1 || size > MOST_CHANNELS) {
            throw config.unsupported(key, "1 to " + MOST_CHANNELS);
        }
        return size;
    }

    private void requireGroupsThatDivide(Config config) {
        boolean divide = layout().blocks().stream()
                .flatMap(block -> block.stages().stream())
                .allMatch(stage -> stage.joined() % normNumGroups == 0 && stage.out() % normNumGroups == 0);
        if (!divide) {
            throw config.unsupported(
                    "norm_num_groups",
                    "a divisor of all block_out_channels and of the sums of neighbours, " + blockOutChannels);
        }
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

    private static List<Integer> transformerLayers(Config config, List<Boolean> attending) {
        String key = "transformer_layers_per_block";
        int levels = attending.size();
        List<Integer> layers = config.integerOrEach(key, 1, levels);
        for (int level = 0; level < levels; level++) {
            int count = layers.get(level);
            if (count < (attending.get(level) ? 1 : 0) || count > MOST_LAYERS) {
                throw config.unsupported(
                        key,
                        "a number from 1, for all levels or for each of " + levels + "; 0 only where none attends");
            }
        }
        return layers;
    }

    /** The key says head dim, and holds the number of heads: an old slip of diffusers that checkpoints rely on. */
    private static List<Integer> heads(Config config, List<Integer> channels) {
        String key = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
        List<Integer> heads = config.integerOrEach(key, 8, channels.size());
        config.ignore("attention_head_dim");
        boolean divides = true;
        for (int i = 0; divides && i < heads.size(); i++) {
            divides = heads.get(i) > 0 && channels.get(i) % heads.get(i) == 0;
        }
        if (!divides) {
            throw config.unsupported(key, "for each level a number of heads that divides its channels " + channels);
        }
        return heads;
    }
}
