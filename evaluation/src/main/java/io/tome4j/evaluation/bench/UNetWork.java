package io.tome4j.evaluation.bench;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.models.unet.UNetLayout;
import io.tome4j.models.unet.UNetMemory;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a step of a UNet comes to, from its config alone: good enough to order cells, to foresee which will not end in
 * time, and not to start one that would not fit.
 *
 * @param placement where, and in which dtype
 */
record UNetWork(UNetConfig config, ToMeOptions merging, Placement placement) {
    private static final int GUIDANCE = 2;
    private static final int REUSE_BRANCH = 0;

    /**
     * A level's residual blocks and projections cost about this many operations for each of its places and square of its
     * channels (from SD 1.5, whose levels have five transformer blocks each: 166 million operations for each place of the
     * latents).
     */
    private static final double FLOPS_PER_SQUARED_CHANNEL = 320;

    /** A transformer block's linear layers: queries, keys, values and results of both attentions, and the feed-forward. */
    private static final double TRANSFORMER_FLOPS_PER_SQUARED_CHANNEL = 36;

    /** The scores and their softmax. */
    private static final int SCORE_MATRICES = 2;

    /** Floating-point operations of a step, roughly; the mean of an interval where steps share features. */
    double flops(Cell cell) {
        UNetLayout layout = config.layout();
        int every = cell.variant().reuseEvery();
        double reusing = every > 1 ? flops(cell, layout.blocksAround(layout.cut(REUSE_BRANCH))) : 0;
        return (flops(cell, layout.blocks()) + (every - 1) * reusing) / every * GUIDANCE * cell.batch();
    }

    private double flops(Cell cell, List<UNetLayout.Block> running) {
        double flops = 0;
        for (int level = 0; level < config.levels(); level++) {
            double channels = config.blockOutChannels().get(level);
            double tokens = grid(cell, level).tokens();
            double share = (double) stages(running, level).count()
                    / stages(config.layout().blocks(), level).count();
            double each = share * FLOPS_PER_SQUARED_CHANNEL
                    + transformers(running, level) * TRANSFORMER_FLOPS_PER_SQUARED_CHANNEL;
            flops += each * channels * channels * tokens;
            flops += transformers(running, level) * 4 * scores(cell, level) * channels;
        }
        return flops;
    }

    /** Bytes that a step needs besides the model: {@link UNetMemory}, and the scores, which merging makes fewer. */
    long bytes(Cell cell) {
        long bytes = UNetMemory.ofForward(
                config, (long) GUIDANCE * cell.batch(), grid(cell, 0), placement, AttentionKernel.EFFICIENT);
        if (cell.variant().attention() != AttentionKernel.NAIVE) {
            return bytes;
        }
        double scores = 0;
        for (int level = 0; level < config.levels(); level++) {
            if (transformers(config.layout().blocks(), level) > 0) {
                scores = Math.max(scores, SCORE_MATRICES * config.heads().get(level) * scores(cell, level));
            }
        }
        return bytes + (long) (scores * GUIDANCE * cell.batch() * placement.elementSize());
    }

    private static TokenGrid grid(Cell cell, int level) {
        int side = cell.resolution() / BenchSettings.PIXELS_PER_LATENT;
        return new TokenGrid(side, side).downsample(1 << level);
    }

    /** How many pairs of a query and a key there are in a head. */
    private double scores(Cell cell, int level) {
        TokenGrid grid = grid(cell, level);
        double all = grid.tokens();
        if (!cell.variant().merges()
                || !merging.mergeAttn()
                || 1 << level > resolvedMerging().maxDownsample()) {
            return all * all;
        }
        double left = all - grid.merged(cell.ratio(), merging.sx(), merging.sy());
        return left * (merging.method() == ToMeOptions.Method.TOME ? left : all);
    }

    private ToMeOptions resolvedMerging() {
        return resolved(merging, config);
    }

    /** Options of merging as they are carried out on a model; their ratio is not looked at, and need not merge. */
    static ToMeOptions resolved(ToMeOptions merging, UNetConfig config) {
        ToMeOptions any = merging.merges() ? merging : merging.withRatio(0.5);
        return any.forBlocksFrom(IntStream.range(0, config.levels())
                .filter(level -> transformers(config.layout().blocks(), level) > 0)
                .map(level -> 1 << level)
                .findFirst()
                .orElse(1));
    }

    private static int transformers(List<UNetLayout.Block> blocks, int level) {
        return stages(blocks, level).mapToInt(UNetLayout.Stage::transformers).sum();
    }

    private static Stream<UNetLayout.Stage> stages(List<UNetLayout.Block> blocks, int level) {
        return blocks.stream().filter(block -> block.level() == level).flatMap(block -> block.stages().stream());
    }
}
