package io.tome4j.evaluation.bench;

import io.tome4j.diffusion.unet.UNetConfig;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;

/**
 * What a step of a UNet comes to, from its config alone: good enough to order cells, to foresee which will not end in
 * time, and not to start one that would not fit.
 *
 * @param elementBytes bytes of an element in the dtype that is computed in
 */
record UNetWork(UNetConfig config, ToMeOptions merging, int elementBytes) {
    private static final int GUIDANCE = 2;

    /**
     * Convolutions and linear layers cost about this many operations for each place of a level and square of its
     * channels (from SD 1.5: 166 million operations for each place of the latents).
     */
    private static final double FLOPS_PER_SQUARED_CHANNEL = 500;

    /** At the widest moment of a transformer block: the feed-forward layers' input, both halves, and what surrounds it. */
    private static final int CHANNELS_AT_THE_WIDEST = 24;

    /** The scores and their softmax. */
    private static final int SCORE_MATRICES = 2;

    /** Sources and destinations are compared a slab at a time; and the allocator rounds. */
    private static final long BESIDES = 256L << 20;

    /** Floating-point operations of a step, roughly. */
    double flops(Cell cell) {
        double flops = 0;
        for (int level = 0; level < config.levels(); level++) {
            double channels = config.blockOutChannels().get(level);
            double tokens = grid(cell, level).tokens();
            flops += FLOPS_PER_SQUARED_CHANNEL * channels * channels * tokens;
            flops += blocks(level) * 4 * scores(cell, level) * channels;
        }
        return flops * GUIDANCE * cell.batch();
    }

    /** Bytes that a step needs besides the model, rather too many than too few. */
    long bytes(Cell cell) {
        double channels = CHANNELS_AT_THE_WIDEST * config.blockOutChannels().get(0);
        double scores = 0;
        double places = grid(cell, 0).tokens();
        for (int level = 0; level < config.levels(); level++) {
            int skips = config.layersPerBlock() + 2;
            channels += skips
                    * config.blockOutChannels().get(level)
                    * (grid(cell, level).tokens() / places);
            if (cell.variant().attention() == AttentionKernel.NAIVE && blocks(level) > 0) {
                scores = Math.max(scores, SCORE_MATRICES * config.heads().get(level) * scores(cell, level));
            }
        }
        return (long) ((channels * places + scores) * GUIDANCE * cell.batch() * elementBytes) + BESIDES;
    }

    private static TokenGrid grid(Cell cell, int level) {
        int side = cell.resolution() / BenchSettings.PIXELS_PER_LATENT;
        return new TokenGrid(side, side).downsample(1 << level);
    }

    /** How many pairs of a query and a key there are in a head. */
    private double scores(Cell cell, int level) {
        TokenGrid grid = grid(cell, level);
        double all = grid.tokens();
        if (!cell.variant().merges() || !merging.mergeAttn() || 1 << level > merging.maxDownsample()) {
            return all * all;
        }
        double left = all - grid.merged(cell.ratio(), merging.sx(), merging.sy());
        return left * (merging.method() == ToMeOptions.Method.TOME ? left : all);
    }

    /** Transformer blocks of a level, on the way down and up. */
    private int blocks(int level) {
        int up = config.levels() - 1 - level;
        int stages = (config.downAttention().get(level) ? config.layersPerBlock() : 0)
                + (config.upAttention().get(up) ? config.layersPerBlock() + 1 : 0)
                + (level == config.levels() - 1 ? 1 : 0);
        return stages * config.transformerLayers();
    }
}
