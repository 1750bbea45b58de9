package io.tome4j.merging;

import io.tome4j.merging.MergeMethod.BlockTokens;
import org.bytedeco.pytorch.Tensor;

/**
 * What a block is told of the forward pass it is in, besides its tokens: from {@link MergeRun#step}.
 *
 * @param run what the steps have in common
 * @param step the number of the denoising step, from 0; one forward pass each
 * @param steps how many there are in all, which a ratio that changes goes by; 0 if that is not known
 * @param copies how often this pass's batch holds each image: 2 under classifier-free guidance, 1 in a step without it
 */
public record MergeContext(MergeRun run, int step, int steps, int copies) {
    /** For a forward pass that merges nothing. */
    public static final MergeContext NONE = new MergeContext(MergeRun.NONE, 0, 0, 1);

    /** The same of a batch that holds each image so often. */
    public MergeContext withCopies(int value) {
        return new MergeContext(run, step, steps, value);
    }

    /**
     * How a block is to merge its tokens in this forward pass. Each block asks once.
     *
     * @param block the one that asks
     * @param hidden its input, {@code [B, N, C]}
     * @param normed what the queries of self-attention are projected from, {@code [B, N, C]}: the input, normalised
     * @param grid the tokens' rows and columns, {@code N} in all
     * @return how to merge; what it holds belongs to the open scope or to the run
     * @throws IllegalArgumentException if the run is for another model than the block's
     */
    public BlockMerge merge(MergeableBlock block, Tensor hidden, Tensor normed, TokenGrid grid) {
        return run.merge(block, new BlockTokens(hidden, normed, grid), this);
    }
}
