package io.tome4j.kernels;

/**
 * Convolutions of 3x3 in bf16 by Winograd's F(2x2, 3x3), with 16 products where the definition has 36. Weights are
 * transformed once. {@code src/main/c/winograd_avx512_bf16.c} says how, and what rounding costs.
 *
 * <p>The result is cut into tiles of 2x2 pixels and into groups of channels: threads take some of both each.
 */
public final class WinogradConvolution {
    /** Tiles that are computed together. The result's bits do not depend on where tiles or groups are cut apart. */
    public static final long BLOCK = 48;

    private static final long LANES = 16;

    WinogradConvolution() {}

    /** Whether convolutions of these channels can be computed: multiples of 16. */
    public boolean takes(long in, long out) {
        return in > 0 && in % LANES == 0 && out > 0 && out % LANES == 0;
    }

    /** Bytes that the transformed weights take: 16/9 of what the weights take. */
    public long weightBytes(long in, long out) {
        return NativeCalls.winogradWeightBytes(in, out);
    }

    /**
     * Transforms and arranges the weights of some of the result's channels.
     *
     * @param weights address of {@code [out, 3, 3, in]}
     * @param from a multiple of 16
     * @param to a multiple of 16, at most {@code out}
     * @param arranged address of {@link #weightBytes} bytes for all channels
     * @throws IllegalArgumentException if the channels are not what {@link #takes} takes
     */
    public void arrange(long weights, long in, long out, long from, long to, long arranged) {
        if (!takes(in, out) || from % LANES != 0 || to % LANES != 0) {
            throw new IllegalArgumentException(
                    "no convolution of " + in + " to " + out + " channels, " + from + " to " + to);
        }
        NativeCalls.winogradArrange(weights, in, out, from, to, arranged);
    }

    /** How many tiles a result is cut into. */
    public long tiles(long images, long height, long width) {
        return NativeCalls.winogradTiles(images, height, width);
    }

    /** How many groups the result's channels are cut into. */
    public long groups(long out) {
        return NativeCalls.winogradGroups(out);
    }

    /** Bytes that {@link #convolve} needs for itself. */
    public long scratchBytes(long in) {
        return NativeCalls.winogradScratchBytes(in);
    }

    /**
     * Computes some groups of some tiles on the calling thread.
     *
     * @param scratch address of {@link #scratchBytes} bytes, a multiple of 64, that no other thread uses meanwhile
     * @throws IllegalArgumentException if the channels are not what {@link #takes} takes, if tiles or groups are not
     *     among the convolution's, or if {@code scratch} is not aligned
     */
    public void convolve(
            Convolution convolution, long firstTile, long endTile, long firstGroup, long endGroup, long scratch) {
        Convolution c = convolution;
        if (!takes(c.in(), c.out())
                || firstTile < 0
                || endTile > tiles(c.images(), c.height(), c.width())
                || firstGroup < 0
                || endGroup > groups(c.out())
                || scratch % 64 != 0) {
            throw new IllegalArgumentException("no " + c + " of tiles " + firstTile + " to " + endTile + " and groups "
                    + firstGroup + " to " + endGroup + " with scratch memory at " + scratch);
        }
        NativeCalls.winogradConvolve(
                c.x(),
                c.weights(),
                c.bias(),
                c.result(),
                c.images(),
                c.height(),
                c.width(),
                c.in(),
                c.out(),
                firstTile,
                endTile,
                firstGroup,
                endGroup,
                scratch);
    }
}
