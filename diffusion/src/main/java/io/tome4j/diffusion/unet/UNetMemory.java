package io.tome4j.diffusion.unet;

import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Placement;
import java.util.List;

/**
 * How much memory a forward pass of a UNet needs at its highest, from its config alone. Goes through the model as the
 * forward pass does and counts the elements of what is alive together.
 */
public final class UNetMemory {
    /** What chunks of scores, time embeddings and the allocator's rounding come to. */
    private static final long BESIDES = 64L << 20;

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
        boolean chunked = placement.device() == DeviceChoice.CPU && placement.dtype() != DTypeChoice.FP32;
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
            reach(local + features + transformer(level, out));
        }
        return attends ? 2 * features : features;
    }

    private double transformer(int level, int channels) {
        double features = map(level, channels);
        double tokens = latents.downsample(1 << level).tokens();
        double scores = batch * config.heads().get(level) * tokens * tokens;
        double kernel = features; // the result
        if (naive) {
            kernel += 2 * features + 2 * scores;
        } else if (chunked) {
            kernel += (2 + 2 * WIDE) * features;
        }
        double around = 3 * features; // normalised, projected, normalised again
        double attention = around + 3 * features + kernel + features; // queries, keys, values, projected result
        double feedForward = around + 3 * features + 2 * 4 * features + features;
        return Math.max(attention, feedForward);
    }

    private void reach(double elements) {
        most = Math.max(most, kept + elements);
    }

    /** Elements of a feature map. */
    private double map(int level, int channels) {
        return (double) batch * latents.downsample(1 << level).tokens() * channels;
    }
}
