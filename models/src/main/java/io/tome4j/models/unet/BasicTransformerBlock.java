package io.tome4j.models.unet;

import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import io.tome4j.merging.TokenMerge;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.LayerNorm;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Self-attention, cross-attention to the text, and feed-forward layers, each behind a layer normalisation and around a
 * residual connection. Each part may see merged tokens (arXiv 2303.17604, section 3).
 */
final class BasicTransformerBlock implements MergeableBlock {
    private static final double EPS = 1e-5;

    private final String name;
    private final int downsample;
    private final int channels;
    private final LayerNorm norm1;
    private final Attention attn1;
    private final LayerNorm norm2;
    private final Attention attn2;
    private final LayerNorm norm3;
    private final FeedForward ff;

    BasicTransformerBlock(
            Weights weights,
            String name,
            int downsample,
            int channels,
            int heads,
            int textSize,
            AttentionKernel kernel) {
        this.name = name;
        this.downsample = downsample;
        this.channels = channels;
        this.norm1 = LayerNorm.of(weights.scope("norm1"), channels, EPS);
        this.attn1 = Attention.self(weights.scope("attn1"), channels, heads, kernel);
        this.norm2 = LayerNorm.of(weights.scope("norm2"), channels, EPS);
        this.attn2 = Attention.cross(weights.scope("attn2"), channels, textSize, heads, kernel);
        this.norm3 = LayerNorm.of(weights.scope("norm3"), channels, EPS);
        this.ff = new FeedForward(weights.scope("ff"), channels);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int downsample() {
        return downsample;
    }

    @Override
    public long channels() {
        return channels;
    }

    Attention crossAttention() {
        return attn2;
    }

    /**
     * @param x {@code [B, N, C]}
     * @param grid the {@code N} tokens' rows and columns
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x, Conditioning.Step step, TokenGrid grid, MergeContext context) {
        try (var scope = TensorScope.open()) {
            Tensor normed = norm1.forward(x);
            BlockMerge merge = context.merge(this, x, normed, grid);
            Tensor attended = attn1.forward(normed, merge.attention());
            Tensor hidden = merge.attention().queries().unmerge(attended).add_(x);
            hidden = residual(
                    hidden,
                    merge.crossAttention(),
                    norm2,
                    tokens -> attn2.forwardCross(tokens, step.textPairs(attn2), step.imagePairs(attn2)));
            return scope.release(residual(hidden, merge.mlp(), norm3, ff::forward));
        }
    }

    /** {@code x + unmerge(part(merge(norm(x))))}. */
    private static Tensor residual(Tensor x, TokenMerge merge, LayerNorm norm, UnaryOperator<Tensor> part) {
        try (var scope = TensorScope.open()) {
            Tensor tokens = merge.merge(norm.forward(x));
            return scope.release(merge.unmerge(part.apply(tokens)).add_(x));
        }
    }
}
