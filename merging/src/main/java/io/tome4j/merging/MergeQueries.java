package io.tome4j.merging;

/** Queries alone are merged, by what they are projected from; keys and values stay whole. */
final class MergeQueries implements MergeMethod {
    @Override
    public void require(ToMeOptions options) {
        MergeMethod.refuseSizeWeighted(options);
    }

    @Override
    public BlockMerge merge(ToMeOptions options, BlockTokens tokens, Matching matching) {
        TokenMerge merge = matching.of(tokens.normed());
        return MergeMethod.around(options, new AttentionMerge(merge, TokenMerge.NONE, KeyWeights.EQUAL), merge);
    }
}
