package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import java.util.Arrays;
import java.util.List;

/**
 * What {@code vae/config.json} says of the model, in its words.
 *
 * @param blockOutChannels channels of each level, from the image's resolution down to the latents'
 * @param latentsMean mean of each channel of latents before scaling; empty where it is 0
 * @param latentsStd their standard deviation; empty where it is 1, with the means
 * @param forceUpcast whether the activations leave fp16's range, so that it has to compute in fp32 then
 */
record VaeConfig(
        int inChannels,
        int outChannels,
        int latentChannels,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        int normNumGroups,
        boolean midBlockAddAttention,
        boolean useQuantConv,
        boolean usePostQuantConv,
        double scalingFactor,
        List<Double> latentsMean,
        List<Double> latentsStd,
        boolean forceUpcast) {
    /** Of every norm in the model; no config sets it. */
    static final double NORM_EPS = 1e-6;

    private static final int MOST_CHANNELS = 1 << 16;
    private static final int MOST_LAYERS = 1 << 10;
    private static final int MOST_LEVELS = 16;

    static VaeConfig of(Config config) {
        config.only("act_fn", "silu");
        if (config.has("shift_factor")) {
            throw config.unsupported("shift_factor", "null");
        }
        int latentChannels = config.integer("latent_channels", 4, 1, MOST_CHANNELS);
        boolean normalised = config.has("latents_mean") && config.has("latents_std"); // one alone has no effect
        VaeConfig read = new VaeConfig(
                config.integer("in_channels", 3, 1, MOST_CHANNELS),
                config.integer("out_channels", 3, 1, MOST_CHANNELS),
                latentChannels,
                Arrays.stream(config.integers("block_out_channels")).boxed().toList(),
                config.integer("layers_per_block", 1, 1, MOST_LAYERS),
                config.integer("norm_num_groups", 32),
                config.flag("mid_block_add_attention", true),
                config.flag("use_quant_conv", true),
                config.flag("use_post_quant_conv", true),
                config.positive("scaling_factor", 0.18215),
                normalised ? ofEachChannel(config, "latents_mean", latentChannels) : List.of(),
                normalised ? ofEachChannel(config, "latents_std", latentChannels) : List.of(),
                config.flag("force_upcast", true));
        read.check(config);
        config.ignore("sample_size"); // of training
        config.ignore("latents_mean", "latents_std");
        config.ignoreMovingAverage();
        config.requireAllRead();
        return read;
    }

    private static List<Double> ofEachChannel(Config config, String key, int channels) {
        List<Double> values = Arrays.stream(config.numbers(key)).boxed().toList();
        if (values.size() != channels
                || values.stream().anyMatch(value -> !Double.isFinite(value))
                || (key.equals("latents_std") && values.contains(0.0))) {
            throw config.unsupported(key, "a number for each of the " + channels + " latent_channels, or null");
        }
        return values;
    }

    private void check(Config config) {
        requireBlocks(config, "down_block_types", "DownEncoderBlock2D");
        requireBlocks(config, "up_block_types", "UpDecoderBlock2D");
        if (normNumGroups < 1) {
            throw config.unsupported("norm_num_groups", "1 or more");
        }
        if (blockOutChannels.isEmpty()
                || blockOutChannels.size() > MOST_LEVELS
                || blockOutChannels.stream()
                        .anyMatch(channels ->
                                channels < 1 || channels > MOST_CHANNELS || channels % normNumGroups != 0)) {
            throw config.unsupported(
                    "block_out_channels", "one or more multiples of norm_num_groups, " + normNumGroups);
        }
    }

    private void requireBlocks(Config config, String key, String type) {
        List<String> types = config.texts(key);
        if (types.size() != blockOutChannels.size() || types.stream().anyMatch(name -> !name.equals(type))) {
            throw config.unsupported(
                    key, "\"" + type + "\" once for each of the " + blockOutChannels.size() + " block_out_channels");
        }
    }

    int levels() {
        return blockOutChannels.size();
    }

    /** Pixels along one side of a latent. */
    int scale() {
        return 1 << (levels() - 1);
    }
}
