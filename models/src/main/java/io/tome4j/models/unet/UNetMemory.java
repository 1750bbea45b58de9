package io.tome4j.models.unet;

import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.UNetLayout.Block;
import io.tome4j.models.unet.UNetLayout.Stage;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;

/**
 * How much memory a forward pass of a UNet needs at its highest, from its config alone. Goes through the model as the
 * forward pass does and counts the elements of what is alive together.
 */
public final class UNetMemory {
    /**
     * What feature maps take of the process against what they hold: malloc cannot use every piece again that is freed
     * between others. Measured, as is {@link #BESIDES}: see docs/measurements.md.
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
        return (long) (memory.most * placement.elementSize() + BESIDES); // at most the largest long
    }

    private void pass() {
        UNetLayout layout = config.layout();
        kept = map(0, config.blockOutChannels().get(0)); // the first convolution's result
        layout.down().forEach(this::down);
        double local = 0;
        for (Stage stage : layout.mid().stages()) {
            local += stage(layout.mid().level(), stage, local);
        }
        if (!layout.mid().stages().isEmpty()) {
            kept += map(layout.mid().level(), layout.mid().out());
        }
        layout.up().forEach(this::up);
    }

    private void down(Block block) {
        double local = 0; // alive until the block ends
        for (Stage stage : block.stages()) {
            local += stage(block.level(), stage, local);
            kept += map(block.level(), stage.out());
        }
        kept += block.resamples() ? map(block.level() + 1, block.out()) : 0;
    }

    private void up(Block block) {
        int level = block.level();
        double local = 0;
        for (Stage stage : block.stages()) {
            local += map(level, stage.joined());
            local += stage(level, stage, local);
        }
        if (block.resamples()) {
            reach(local + 2 * map(level - 1, block.out())); // upsampled, convolved
            kept += map(level - 1, block.out());
        } else {
            kept += map(level, block.out());
        }
    }

    /** A residual block and, maybe, transformer blocks. @return the elements of what they give */
    private double stage(int level, Stage stage, double local) {
        double features = map(level, stage.out());
        double shortcut = stage.joined() == stage.out() ? 0 : features;
        reach(local + map(level, stage.joined()) + 3 * features + shortcut);
        if (!stage.attends()) {
            return features;
        }
        reach(local + features + feedForward(features));
        reach(local + features + attention(features), scores(level));
        return 2 * features;
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
        double tokens = tokens(level);
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
        return batch * tokens(level) * channels;
    }

    /** More than an {@code int} holds at sizes that nobody has the memory for, which is what this is to find out. */
    private double tokens(int level) {
        TokenGrid grid = latents.downsample(1 << level);
        return (double) grid.height() * grid.width();
    }
}
