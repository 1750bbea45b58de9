package io.tome4j.merging;

/**
 * What a block is told of the forward pass it is in, besides its tokens. Passes of equal seed and step draw the same
 * destinations.
 *
 * @param seed the image's seed
 * @param step the number of the denoising step, from 0; one forward pass each
 * @param run what the steps have in common, from {@link MergeRun#step}
 */
public record MergeContext(long seed, int step, MergeRun run) {
    /** For a forward pass that belongs to no image. */
    public static final MergeContext NONE = new MergeContext(0, 0);

    /** For a pass that stands alone: blocks share no matchings. */
    public MergeContext(long seed, int step) {
        this(seed, step, MergeRun.NONE);
    }
}
