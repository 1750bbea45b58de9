package io.tome4j.merging;

import io.tome4j.merging.ToMeOptions.MatchPer;
import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.tensor.Profile;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** A block's merger as {@link ToMe#applyPatch} sets it. */
final class ToMeMerger implements TokenMerger {
    private final ToMeOptions options;
    private final int blockNumber;
    private final int blocksAtLevel;
    private final DestinationDraw forked;

    /**
     * @param blockNumber the block's place in its model, so that blocks draw apart
     * @param blocksAtLevel how many blocks the patch has at this one's level
     * @param forked the draws that all blocks of a model share in {@link Mode#TOMESD}; stands for the patch, too
     */
    ToMeMerger(ToMeOptions options, int blockNumber, int blocksAtLevel, DestinationDraw forked) {
        this.options = options;
        this.blockNumber = blockNumber;
        this.blocksAtLevel = blocksAtLevel;
        this.forked = forked;
    }

    @Override
    public Optional<ToMeOptions> options() {
        return Optional.of(options);
    }

    @Override
    public BlockMerge match(Tensor hidden, Tensor normed, TokenGrid grid, MergeContext context) {
        if (options.auto()
                && !MergingCost.of(options, grid, hidden.size(2), blocksAtLevel).pays()) {
            return BlockMerge.NONE;
        }
        try (var section = Profile.section(Profile.Part.MATCHING)) {
            return switch (options.method()) {
                case TOME -> around(plan(hidden, grid, context), true);
                case QUERY -> around(plan(normed, grid, context), false);
                case TODO ->
                    new BlockMerge(
                            new AttentionMerge(
                                    TokenMerge.NONE, GridSampling.of(grid, options.ratio()), KeyWeights.EQUAL),
                            TokenMerge.NONE,
                            TokenMerge.NONE);
            };
        }
    }

    private BlockMerge around(TokenMerge merge, boolean keysToo) {
        return new BlockMerge(
                options.mergeAttn() ? attention(merge, keysToo) : AttentionMerge.NONE,
                options.mergeCrossattn() ? merge : TokenMerge.NONE,
                options.mergeMlp() ? merge : TokenMerge.NONE);
    }

    private AttentionMerge attention(TokenMerge merge, boolean keysToo) {
        if (!keysToo) {
            return new AttentionMerge(merge, TokenMerge.NONE, KeyWeights.EQUAL);
        }
        return options.sizeWeighted() && merge instanceof MergePlan plan
                ? new AttentionMerge(merge, merge, KeyWeights.bySize(plan.sizes()))
                : AttentionMerge.of(merge);
    }

    /** The matching that this block is to use: its own or a shared one. */
    private TokenMerge plan(Tensor metric, TokenGrid grid, MergeContext context) {
        ToMeOptions.Matching matching = options.matching();
        if (!matching.shares()) {
            return match(metric, grid, context);
        }
        int blocks = matching.per() == MatchPer.LEVEL ? -1 : blockNumber;
        return context.run()
                .shared(
                        new MergeRun.Key(forked, blocks, grid, metric.size(0)),
                        context.step(),
                        matching.every(),
                        blockNumber,
                        () -> match(metric, grid, context));
    }

    private TokenMerge match(Tensor metric, TokenGrid grid, MergeContext context) {
        return BipartiteSoftMatching.random2d(
                metric,
                grid,
                options.sx(),
                options.sy(),
                options.merged(grid),
                draw(metric.size(0), context),
                options.matching().precision(),
                options.matching().together() ? context.run().copies() : 1);
    }

    private DestinationDraw draw(long batch, MergeContext context) {
        if (!options.useRand()) {
            return DestinationDraw.TOP_LEFT;
        }
        if (options.mode() == Mode.SEEDED) {
            return DestinationDraw.seeded(key(context));
        }
        // tomesd: an odd batch cannot hold a prompted and an unprompted half, which would then draw apart
        return batch % 2 == 1 ? DestinationDraw.TOP_LEFT : forked;
    }

    /** Mixes seed, step and block into a generator's seed (the finaliser of SplitMix64 after each). */
    private long key(MergeContext context) {
        long key = mix(context.seed());
        key = mix(key ^ MergeRun.firstOf(context.step(), options.matching().every()));
        return mix(key ^ blockNumber);
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
