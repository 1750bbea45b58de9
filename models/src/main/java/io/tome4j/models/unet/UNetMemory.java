package io.tome4j.models.unet;

import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import java.util.List;

/**
 * How much memory a forward pass of a UNet needs at its highest, from its config alone. Goes through the model as the
 * forward pass does and counts the elements of what is alive together.
 */
public final class UNetMemory {
    /**
     * What feature maps take of the process against what they hold: malloc cannot use every piece again that is freed
     * between others. Measured, as is {@link #BESIDES}: see ARCHITECTURE.md.
     */
    private static final double PIECES = 1.5;

    /** What no size changes: kernels made for a shape, buffers of chunks, Java's own heap. */
    private static final long BESIDES = 120_000_000;

    /** Columns of ones among the values of {@code ChunkedAttention}, against the columns of values. */
    private static final double WIDE = 1.2;

    private final UNetConfig config;
    private final long batch;
    private final TokenGrid latents;
    private final boolean naive;
    private final boolean chunked;

    private double kept; // elements alive until the pass ends: skips, and results of blocks
    private double most;

    private UNetMemory(UNetConfig config, long batch, TokenGrid latents, boolean naive, boolean chunked) {
        this.config = config;
        this.batch = batch;
        this.latents = latents;
        this.naive = naive;
        this.chunked = chunked;
    }

    /**
     * The most that a forward pass has in memory besides the weights, without token merging (which needs no more).
     *
     * @param batch rows of the batch: with guidance, two an image
     * @param latents rows and columns of the latents
     * @return bytes
     */
    public static long ofForward(
            UNetConfig config, long batch, TokenGrid latents, Placement placement, AttentionKernel kernel) {
        boolean naive = kernel == AttentionKernel.NAIVE;
        boolean chunked = placement.device() == ComputeDevice.CPU && placement.dtype() != DType.FP32;
        UNetMemory memory = new UNetMemory(config, batch, latents, naive, chunked);
        memory.pass();
        return (long) (memory.most * placement.elementSize()) + BESIDES;
    }

    private void pass() {
        List<Integer> channels = config.blockOutChannels();
        int levels = config.levels();
        kept = map(0, channels.get(0)); // the first convolution's result
        for (int level = 0; level < levels; level++) {
            int out = channels.get(level);
            int in = level == 0 ? out : channels.get(level - 1);
            double local = 0; // alive until the block ends
            for (int layer = 0; layer < config.layersPerBlock(); layer++) {
                boolean attends = config.downAttention().get(level);
                local += stage(level, layer == 0 ? in : out, out, attends, local);
                kept += map(level, out);
            }
            kept += level == levels - 1 ? 0 : map(level + 1, out);
        }
        int bottom = channels.get(levels - 1);
        stage(levels - 1, bottom, bottom, true, 0);
        stage(levels - 1, bottom, bottom, false, map(levels - 1, 2 * bottom));
        kept += map(levels - 1, bottom);
        for (int number = 0; number < levels; number++) {
            up(number);
        }
    }

    private void up(int number) {
        List<Integer> channels = config.blockOutChannels();
        int level = config.levels() - 1 - number;
        int out = channels.get(level);
        int previous = number == 0 ? out : channels.get(level + 1);
        int layers = config.layersPerBlock() + 1;
        double local = 0;
        for (int layer = 0; layer < layers; layer++) {
            int skip = layer == layers - 1 ? channels.get(Math.max(0, level - 1)) : out;
            int in = (layer == 0 ? previous : out) + skip;
            local += map(level, in); // the features and the skip, joined
            local += stage(level, in, out, config.upAttention().get(number), local);
        }
        if (level > 0) {
            reach(local + 2 * map(level - 1, out)); // upsampled, convolved
            kept += map(level - 1, out);
        } else {
            kept += map(level, out);
        }
    }

    /** A residual block and, maybe, transformer blocks. @return the elements of the residual block's own result */
    private double stage(int level, int in, int out, boolean attends, double local) {
        double features = map(level, out);
        double shortcut = in == out ? 0 : features;
        reach(local + map(level, in) + 3 * features + shortcut);
        if (attends) {
            reach(local + features + feedForward(features));
            reach(local + features + attention(features), scores(level));
        }
        return attends ? 2 * features : features;
    }

    /** Normalised, projected, normalised again; attended to, twice, normalised; values and gates; the result. */
    private static double feedForward(double features) {
        return (3 + 3 + 2 * 4 + 1) * features;
    }

    /** Normalised, projected, normalised again; queries, keys, values; the kernel's own; its result, projected. */
    private double attention(double features) {
        double copies = naive ? 2 : chunked ? 2 + 2 * WIDE : 0;
        return (3 + 3 + copies + 2) * features;
    }

    /** Elements of scores that stand in memory whole, and of their softmax. */
    private double scores(int level) {
        double tokens = latents.downsample(1 << level).tokens();
        return naive ? 2 * batch * config.heads().get(level) * tokens * tokens : 0;
    }

    private void reach(double elements) {
        reach(elements, 0);
    }

    /** @param whole elements of tensors that dwarf all others, and leave no gaps */
    private void reach(double elements, double whole) {
        most = Math.max(most, PIECES * (kept + elements) + whole);
    }

    /** Elements of a feature map. */
    private double map(int level, int channels) {
        return (double) batch * latents.downsample(1 << level).tokens() * channels;
    }
}
