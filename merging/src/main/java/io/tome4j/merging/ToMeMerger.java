package io.tome4j.merging;

import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.tensor.Profile;
import org.bytedeco.pytorch.Tensor;

/** A block's merger as {@link ToMe#applyPatch} sets it: one matching a forward pass, on the block's input. */
final class ToMeMerger implements TokenMerger {
    private final ToMeOptions options;
    private final int blockNumber;
    private final DestinationDraw forked;

    /**
     * @param blockNumber the block's place in its model, so that blocks draw apart
     * @param forked the draws that all blocks of a model share in {@link Mode#TOMESD}
     */
    ToMeMerger(ToMeOptions options, int blockNumber, DestinationDraw forked) {
        this.options = options;
        this.blockNumber = blockNumber;
        this.forked = forked;
    }

    ToMeOptions options() {
        return options;
    }

    @Override
    public BlockMerge match(Tensor hidden, TokenGrid grid, MergeContext context) {
        try (var section = Profile.section(Profile.Part.MATCHING)) {
            return plan(hidden, grid, context);
        }
    }

    private BlockMerge plan(Tensor hidden, TokenGrid grid, MergeContext context) {
        long r = (long) (grid.tokens() * options.ratio());
        TokenMerge merge = BipartiteSoftMatching.random2d(
                hidden,
                grid,
                options.sx(),
                options.sy(),
                r,
                draw(hidden.size(0), context),
                options.mode() == Mode.TOMESD ? Precision.INPUT : Precision.FP32);
        return new BlockMerge(
                options.mergeAttn() ? merge : TokenMerge.NONE,
                options.mergeCrossattn() ? merge : TokenMerge.NONE,
                options.mergeMlp() ? merge : TokenMerge.NONE);
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
        key = mix(key ^ context.step());
        return mix(key ^ blockNumber);
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
