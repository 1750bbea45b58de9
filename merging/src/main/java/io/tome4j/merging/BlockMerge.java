package io.tome4j.merging;

/**
 * How a transformer block's three parts see its tokens in one forward pass.
 *
 * @param attention in self-attention
 * @param crossAttention around cross-attention
 * @param mlp around the feed-forward layers
 */
public record BlockMerge(AttentionMerge attention, TokenMerge crossAttention, TokenMerge mlp) {
    /** Nothing is merged anywhere. */
    public static final BlockMerge NONE = new BlockMerge(AttentionMerge.NONE, TokenMerge.NONE, TokenMerge.NONE);
}
