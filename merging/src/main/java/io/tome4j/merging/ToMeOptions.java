package io.tome4j.merging;

/**
 * What to merge. The names and defaults are those of {@code tomesd.apply_patch}.
 *
 * <pre>{@code
 * ToMeOptions.ratio(0.5).maxDownsample(2).mergeMlp(true)
 * }</pre>
 *
 * @param ratio the share of tokens to merge away, in [0, 1]; at most {@code 1 - 1 / (sx * sy)} has an effect, more is
 *     clamped and the {@link PatchReport} says so
 * @param maxDownsample merge in blocks whose feature map is at most this much smaller than the latents: 1, 2, 4 or 8
 * @param sx width in tokens of the cells that one destination each is drawn from, at least 1
 * @param sy height in tokens of these cells, at least 1
 * @param useRand draw each cell's destination at random; otherwise it is the cell's top left token
 * @param mergeAttn merge for self-attention
 * @param mergeCrossattn merge for cross-attention
 * @param mergeMlp merge for the feed-forward layers
 * @param mode where draws come from, and in what precision tokens are compared
 */
public record ToMeOptions(
        double ratio,
        int maxDownsample,
        int sx,
        int sy,
        boolean useRand,
        boolean mergeAttn,
        boolean mergeCrossattn,
        boolean mergeMlp,
        Mode mode) {

    /** Whose habits to follow where ours and tomesd's differ. */
    public enum Mode {
        /**
         * Destinations are drawn from a generator keyed by the image's seed, the step and the block, so that the same
         * request gives the same image whatever ran before. Tokens are compared in fp32.
         */
        SEEDED,
        /**
         * As tomesd 0.1.3 does on a CPU: at the first draw the state of libtorch's default CPU generator is copied, and
         * that copy runs on from draw to draw and from image to image; draws are off where the batch is odd; tokens are
         * compared in their own dtype.
         */
        TOMESD
    }

    /**
     * @throws IllegalArgumentException if an option is out of its range; the message names it
     */
    public ToMeOptions {
        if (!(ratio >= 0 && ratio <= 1)) {
            throw new IllegalArgumentException("ratio is " + ratio
                    + ": it is the share of tokens to merge away, from 0 (none) to 1; 0.5 is a good start");
        }
        if (maxDownsample != 1 && maxDownsample != 2 && maxDownsample != 4 && maxDownsample != 8) {
            throw new IllegalArgumentException("maxDownsample is " + maxDownsample
                    + ": it must be 1 (only the blocks at full size), 2, 4 or 8 (all blocks)");
        }
        requireStride("sx", sx);
        requireStride("sy", sy);
    }

    private static void requireStride(String name, int stride) {
        if (stride < 1) {
            throw new IllegalArgumentException(
                    name + " is " + stride + ": the cells that destinations are drawn from are at least 1 token wide");
        }
    }

    /** The defaults, with this ratio. */
    public static ToMeOptions ratio(double ratio) {
        return new ToMeOptions(ratio, 1, 2, 2, true, true, false, false, Mode.SEEDED);
    }

    public ToMeOptions withRatio(double value) {
        return new ToMeOptions(value, maxDownsample, sx, sy, useRand, mergeAttn, mergeCrossattn, mergeMlp, mode);
    }

    public ToMeOptions maxDownsample(int value) {
        return new ToMeOptions(ratio, value, sx, sy, useRand, mergeAttn, mergeCrossattn, mergeMlp, mode);
    }

    /** Cells of {@code sx} by {@code sy} tokens. */
    public ToMeOptions stride(int newSx, int newSy) {
        return new ToMeOptions(ratio, maxDownsample, newSx, newSy, useRand, mergeAttn, mergeCrossattn, mergeMlp, mode);
    }

    public ToMeOptions useRand(boolean value) {
        return new ToMeOptions(ratio, maxDownsample, sx, sy, value, mergeAttn, mergeCrossattn, mergeMlp, mode);
    }

    public ToMeOptions mergeAttn(boolean value) {
        return new ToMeOptions(ratio, maxDownsample, sx, sy, useRand, value, mergeCrossattn, mergeMlp, mode);
    }

    public ToMeOptions mergeCrossattn(boolean value) {
        return new ToMeOptions(ratio, maxDownsample, sx, sy, useRand, mergeAttn, value, mergeMlp, mode);
    }

    public ToMeOptions mergeMlp(boolean value) {
        return new ToMeOptions(ratio, maxDownsample, sx, sy, useRand, mergeAttn, mergeCrossattn, value, mode);
    }

    public ToMeOptions mode(Mode value) {
        return new ToMeOptions(ratio, maxDownsample, sx, sy, useRand, mergeAttn, mergeCrossattn, mergeMlp, value);
    }

    /** Whether any part of a block is to be merged at all. */
    boolean mergesAnything() {
        return mergeAttn || mergeCrossattn || mergeMlp;
    }
}
