package io.tome4j.merging;

import io.tome4j.tensor.OptionException;
import org.bytedeco.pytorch.Tensor;

/** A way for a block to see fewer tokens: what each constant of {@link ToMeOptions.Method} does. */
interface MergeMethod {
    /**
     * What a block sees of its tokens in a forward pass.
     *
     * @param hidden the block's input, {@code [B, N, C]}
     * @param normed what the queries of self-attention are projected from, {@code [B, N, C]}: the input, normalised
     * @param grid the tokens' rows and columns, {@code N} in all
     */
    record BlockTokens(Tensor hidden, Tensor normed, TokenGrid grid) {}

    /** Matches a block's tokens, or finds a matching that it shares with others. */
    @FunctionalInterface
    interface Matching {
        /** @param metric what tokens are compared by, {@code [B, N, C]} */
        TokenMerge of(Tensor metric);
    }

    /**
     * Refuses what has no effect with this method.
     *
     * @throws OptionException if an option has none
     */
    default void require(ToMeOptions options) {}

    /** How many of an image's tokens go. */
    default int merged(ToMeOptions options, TokenGrid grid) {
        return grid.merged(options.ratio(), options.sx(), options.sy());
    }

    /** The highest ratio that has an effect. */
    default double highestRatio(ToMeOptions options) {
        return 1 - 1.0 / (options.sx() * options.sy());
    }

    /** How the block's parts are to see its tokens. */
    BlockMerge merge(ToMeOptions options, BlockTokens tokens, Matching matching);

    /** Whether tokens are matched at all. */
    default boolean matches() {
        return true;
    }

    /**
     * Pairs of a query and a key that are left to self-attention.
     *
     * @param tokens before merging
     * @param left after merging
     */
    default double scores(double tokens, double left) {
        return left * tokens;
    }

    /** Projections of self-attention that see fewer tokens, twice each: a product is two operations. */
    default int projections() {
        return 4;
    }

    /** The same merge around whatever parts the options say. */
    static BlockMerge around(ToMeOptions options, AttentionMerge attention, TokenMerge others) {
        return new BlockMerge(
                options.mergeAttn() ? attention : AttentionMerge.NONE,
                options.mergeCrossattn() ? others : TokenMerge.NONE,
                options.mergeMlp() ? others : TokenMerge.NONE);
    }

    /** For methods whose keys are not merged. */
    static void refuseSizeWeighted(ToMeOptions options) {
        if (options.sizeWeighted()) {
            throw new OptionException(
                    "{size_weighted} weighs the merged keys of self-attention: it needs {method} tome and"
                            + " {merge_attn}");
        }
    }
}
