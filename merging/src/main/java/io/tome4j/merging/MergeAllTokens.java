package io.tome4j.merging;

/** ToMe: queries, keys and values see merged tokens (arXiv 2303.17604, section 4). */
final class MergeAllTokens implements MergeMethod {
    @Override
    public void require(ToMeOptions options) {
        if (!options.mergeAttn()) {
            MergeMethod.refuseSizeWeighted(options);
        }
    }

    @Override
    public BlockMerge merge(ToMeOptions options, BlockTokens tokens, Matching matching) {
        TokenMerge merge = matching.of(tokens.hidden());
        AttentionMerge attention = options.sizeWeighted() && merge instanceof MergePlan plan
                ? new AttentionMerge(merge, merge, KeyWeights.bySize(plan.sizes()))
                : AttentionMerge.of(merge);
        return MergeMethod.around(options, attention, merge);
    }

    @Override
    public double scores(double tokens, double left) {
        return left * left;
    }

    @Override
    public int projections() {
        return 8;
    }
}
