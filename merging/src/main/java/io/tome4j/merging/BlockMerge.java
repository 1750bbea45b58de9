package io.tome4j.merging;

/**
 * How a transformer block's three parts see its tokens in one forward pass.
 *
 * @param attention around self-attention
 * @param crossAttention around cross-attention
 * @param mlp around the feed-forward layers
 */
public record BlockMerge(TokenMerge attention, TokenMerge crossAttention, TokenMerge mlp) {
    /** Nothing is merged anywhere. */
    public static final BlockMerge NONE = new BlockMerge(TokenMerge.NONE, TokenMerge.NONE, TokenMerge.NONE);
}
