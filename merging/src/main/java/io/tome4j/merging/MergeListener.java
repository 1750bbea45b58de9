package io.tome4j.merging;

import org.bytedeco.pytorch.Tensor;

/** Told what each block of a run does to its tokens; changes nothing of it. */
@FunctionalInterface
public interface MergeListener {
    /** Hears nothing. */
    MergeListener NONE = (block, hidden, grid, merge, context) -> {};

    /**
     * Called when a block has been told how to merge, on the thread that computes.
     *
     * @param block which one
     * @param hidden its input, {@code [B, N, C]}; it lives only until the call returns, and so does what the merge holds
     * @param grid the tokens' rows and columns, {@code N} in all
     * @param merge what it is to do
     * @param context which run and step this is
     */
    void onMerge(MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context);
}
