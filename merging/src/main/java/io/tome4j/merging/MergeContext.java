package io.tome4j.merging;

/**
 * What a block is told of the forward pass it is in, besides its tokens. Two passes with equal contexts draw the same
 * destinations.
 *
 * @param seed the image's seed
 * @param step the number of the denoising step, from 0
 */
public record MergeContext(long seed, int step) {
    /** For a forward pass that belongs to no image. */
    public static final MergeContext NONE = new MergeContext(0, 0);
}
