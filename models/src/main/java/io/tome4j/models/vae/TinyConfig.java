package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import java.util.Arrays;
import java.util.List;

/**
 * What the config of an {@link AutoencoderTiny} says, in its words.
 *
 * @param width channels of all layers inside
 * @param encoderBlocks blocks of each level, from the image's resolution down to the latents'
 * @param decoderBlocks blocks of each level, the other way
 * @param latentMagnitude the bound that latents are brought within, smoothly
 */
record TinyConfig(
        int inChannels,
        int outChannels,
        int latentChannels,
        int width,
        List<Integer> encoderBlocks,
        List<Integer> decoderBlocks,
        double latentMagnitude) {
    private static final int[] WIDTHS = {64, 64, 64, 64};
    private static final int MOST = 1 << 12;

    static TinyConfig of(Config config) {
        config.only("act_fn", "relu");
        config.only("upsample_fn", "nearest");
        config.only("upsampling_scaling_factor", 2);
        config.only("scaling_factor", 1.0);
        config.only("shift_factor", 0.0);
        config.only("latent_magnitude", 3); // only its own scaling of latents uses it, and decoding's bound is always 3
        config.ignore("force_upcast", "latent_shift", "block_out_channels");
        int[] widths = widths(config, "encoder_block_out_channels");
        int[] others = widths(config, "decoder_block_out_channels");
        List<Integer> encoder = blocks(config, "num_encoder_blocks", List.of(1, 3, 3, 3), widths.length);
        List<Integer> decoder = blocks(config, "num_decoder_blocks", List.of(3, 3, 3, 1), others.length);
        int width = widths[0];
        if (widths.length != others.length || !allAre(width, widths) || !allAre(width, others)) {
            throw config.unsupported(
                    "decoder_block_out_channels", "the same number as the encoder has, for all levels");
        }
        TinyConfig read = new TinyConfig(
                config.integer("in_channels", 3, 1, MOST),
                config.integer("out_channels", 3, 1, MOST),
                config.integer("latent_channels", 4, 1, MOST),
                width,
                encoder,
                decoder,
                3);
        config.ignoreMovingAverage();
        config.requireAllRead();
        return read;
    }

    private static int[] widths(Config config, String key) {
        int[] widths = config.has(key) ? config.integers(key) : WIDTHS;
        if (widths.length == 0 || Arrays.stream(widths).anyMatch(width -> width < 1 || width > MOST)) {
            throw config.unsupported(key, "one or more numbers from 1 to " + MOST);
        }
        return widths;
    }

    private static boolean allAre(int width, int[] widths) {
        return Arrays.stream(widths).allMatch(other -> other == width);
    }

    private static List<Integer> blocks(Config config, String key, List<Integer> absent, int levels) {
        List<Integer> blocks =
                config.has(key) ? Arrays.stream(config.integers(key)).boxed().toList() : absent;
        if (blocks.size() != levels || blocks.stream().anyMatch(count -> count < 0 || count > MOST)) {
            throw config.unsupported(key, "a number of blocks for each of " + levels + " levels");
        }
        return blocks;
    }

    /** Pixels along one side of a latent. */
    int scale() {
        return 1 << (encoderBlocks.size() - 1);
    }
}
