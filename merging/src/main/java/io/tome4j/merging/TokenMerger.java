package io.tome4j.merging;

import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** What a transformer block asks, once a forward pass, how to merge its tokens. */
@FunctionalInterface
public interface TokenMerger {
    /** Never merges: what a block has until it is patched. */
    TokenMerger NONE = (hidden, normed, grid, context) -> BlockMerge.NONE;

    /**
     * @param hidden the block's input, {@code [B, N, C]}
     * @param normed what the queries of self-attention are projected from, {@code [B, N, C]}: the input, normalised
     * @param grid the tokens' rows and columns, {@code N} in all
     * @param context which image and step this is
     * @return how to merge; what it holds belongs to the open scope or to the context's run
     */
    BlockMerge match(Tensor hidden, Tensor normed, TokenGrid grid, MergeContext context);

    /** What {@link ToMe#applyPatch} made it with; a merger that stands in front of another answers for it. */
    default Optional<ToMeOptions> options() {
        return Optional.empty();
    }
}
