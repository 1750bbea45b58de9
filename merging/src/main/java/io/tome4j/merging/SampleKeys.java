package io.tome4j.merging;

import io.tome4j.tensor.OptionException;

/** ToDo: keys and values are sampled from the grid, without matching; queries stay whole (arXiv 2402.13573, section 3). */
final class SampleKeys implements MergeMethod {
    @Override
    public void require(ToMeOptions options) {
        if (options.mergeCrossattn() || options.mergeMlp()) {
            throw new OptionException("{method} todo samples the keys and values of self-attention:"
                    + " {merge_crossattn} and {merge_mlp} need {method} tome or query");
        }
        if (options.choosesMatching()) {
            throw new OptionException(
                    "{method} todo matches no tokens: {match_per}, {match_every}, {match_together} and"
                            + " {match_precision} need {method} tome or query");
        }
        MergeMethod.refuseSizeWeighted(options);
    }

    @Override
    public int merged(ToMeOptions options, TokenGrid grid) {
        return grid.tokens() - GridSampling.coarse(grid, options.ratio()).tokens();
    }

    @Override
    public double highestRatio(ToMeOptions options) {
        return 1;
    }

    @Override
    public BlockMerge merge(ToMeOptions options, BlockTokens tokens, Matching matching) {
        GridSampling keys = GridSampling.of(tokens.grid(), options.ratio());
        return MergeMethod.around(
                options, new AttentionMerge(TokenMerge.NONE, keys, KeyWeights.EQUAL), TokenMerge.NONE);
    }

    @Override
    public boolean matches() {
        return false;
    }
}
