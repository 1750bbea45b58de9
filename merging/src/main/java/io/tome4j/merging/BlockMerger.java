package io.tome4j.merging;

import io.tome4j.merging.MergeMethod.BlockTokens;
import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.tensor.Profile;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Tensor;

/** What one block of a model is to do in a run. */
final class BlockMerger {
    private final ToMeOptions options;
    private final int blockNumber;
    private final int firstOfSide;
    private final int sharing;
    private final DestinationDraw runningOn;

    /**
     * @param blockNumber the block's place in its model, so that blocks draw apart
     * @param firstOfSide the first of the blocks of its size that it follows on without another size in between
     * @param sharing how many blocks use one matching with it, where blocks share them
     * @param runningOn the draws that all blocks share in {@link Mode#TOMESD}
     */
    BlockMerger(ToMeOptions options, int blockNumber, int firstOfSide, int sharing, DestinationDraw runningOn) {
        this.options = options;
        this.blockNumber = blockNumber;
        this.firstOfSide = firstOfSide;
        this.sharing = sharing;
        this.runningOn = runningOn;
    }

    BlockMerge merge(BlockTokens tokens, MergeContext context) {
        ToMeOptions now = options.at(MergeRun.firstOf(context.step(), options.matchEvery()), context.steps());
        if (!now.merges()
                || (now.auto()
                        && !MergingCost.of(now, tokens.grid(), tokens.hidden().size(2), sharing)
                                .pays())) {
            return BlockMerge.NONE;
        }
        try (var section = Profile.section(Profile.Part.MATCHING)) {
            return now.method().strategy().merge(now, tokens, metric -> matching(now, metric, tokens.grid(), context));
        }
    }

    /** The matching that this block is to use: its own or a shared one. */
    private TokenMerge matching(ToMeOptions now, Tensor metric, TokenGrid grid, MergeContext context) {
        if (!options.sharesMatchings()) {
            return match(now, metric, grid, context);
        }
        OptionalInt users =
                switch (options.matchPer()) {
                    case BLOCK -> OptionalInt.of(blockNumber);
                    case SIDE -> OptionalInt.of(firstOfSide);
                    case LEVEL -> OptionalInt.empty();
                };
        return context.run()
                .shared(
                        new MergeRun.Key(users, grid, metric.size(0)),
                        context.step(),
                        options.matchEvery(),
                        blockNumber,
                        () -> match(now, metric, grid, context));
    }

    private TokenMerge match(ToMeOptions now, Tensor metric, TokenGrid grid, MergeContext context) {
        return BipartiteSoftMatching.random2d(
                metric,
                grid,
                options.sx(),
                options.sy(),
                options.method().strategy().merged(now, grid),
                draw(metric.size(0), context),
                options.matchPrecision(),
                options.matchTogether() ? context.copies() : 1,
                context.run().kept());
    }

    private DestinationDraw draw(long batch, MergeContext context) {
        if (!options.useRand()) {
            return DestinationDraw.TOP_LEFT;
        }
        if (options.mode() == Mode.SEEDED) {
            return DestinationDraw.seeded(key(context));
        }
        // tomesd: an odd batch cannot hold a prompted and an unprompted half, which would then draw apart
        return batch % 2 == 1 ? DestinationDraw.TOP_LEFT : runningOn;
    }

    /** Mixes seed, step and block into a generator's seed (the finaliser of SplitMix64 after each). */
    private long key(MergeContext context) {
        long key = mix(context.run().seed());
        key = mix(key ^ MergeRun.firstOf(context.step(), options.matchEvery()));
        return mix(key ^ blockNumber);
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
