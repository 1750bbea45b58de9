package io.tome4j.models.unet;

import java.util.ArrayList;
import java.util.List;

/**
 * Which residual and transformer blocks a UNet has, and of which sizes: written down once, for the model, for what it needs
 * of memory and for what a step of it costs.
 *
 * @param down the blocks on the way down, from the largest feature map to the smallest
 * @param mid the block between; without stages where there is none
 * @param up the blocks on the way up
 */
public record UNetLayout(List<Block> down, Block mid, List<Block> up) {
    /**
     * Stages at one size of feature map.
     *
     * @param name in the checkpoint, such as {@code down_blocks.0}
     * @param level the level, 0 for the largest feature map; each halves its sides
     * @param stages in the order they run
     * @param resamples whether a downsampler (on the way down) or an upsampler (on the way up) follows
     */
    public record Block(String name, int level, List<Stage> stages, boolean resamples) {
        public Block {
            stages = List.copyOf(stages);
        }

        /** Channels of what the block gives; it must have stages. */
        public int out() {
            return stages.get(stages.size() - 1).out();
        }
    }

    /**
     * A residual block, {@code resnets.NUMBER} in its block, and transformer blocks over its result,
     * {@code attentions.NUMBER}.
     *
     * @param in channels of what comes from the stage before
     * @param skip channels of what is joined to it from the way down, 0 for nothing
     * @param out channels of the result
     * @param transformers transformer blocks; 0 where there is no attention
     */
    public record Stage(int in, int skip, int out, int transformers) {
        /** Channels that the residual block sees. */
        public int joined() {
            return in + skip;
        }

        public boolean attends() {
            return transformers > 0;
        }
    }

    public UNetLayout {
        down = List.copyOf(down);
        up = List.copyOf(up);
    }

    /** The layout of the UNet that a config describes. */
    static UNetLayout of(UNetConfig config) {
        List<Integer> channels = config.blockOutChannels();
        int last = config.levels() - 1;
        List<Block> down = new ArrayList<>();
        List<Integer> skips = new ArrayList<>();
        int current = channels.get(0); // the first convolution's result
        skips.add(current);
        for (int level = 0; level <= last; level++) {
            int out = channels.get(level);
            int transformers = config.downAttention().get(level)
                    ? config.transformerLayers().get(level)
                    : 0;
            List<Stage> stages = new ArrayList<>();
            for (int i = 0; i < config.layersPerBlock().get(level); i++) {
                stages.add(new Stage(current, 0, out, transformers));
                current = out;
                skips.add(out);
            }
            down.add(new Block("down_blocks." + level, level, stages, level < last));
            if (level < last) {
                skips.add(out);
            }
        }
        Stage residual = new Stage(current, 0, current, 0);
        Stage attending =
                new Stage(current, 0, current, config.transformerLayers().get(last));
        List<Stage> between =
                switch (config.middle()) {
                    case ATTENDING -> List.of(attending, residual);
                    case RESIDUAL -> List.of(residual);
                    case NONE -> List.of();
                };
        Block mid = new Block("mid_block", last, between, false);
        List<Block> up = new ArrayList<>();
        for (int number = 0; number <= last; number++) {
            int level = last - number;
            int out = channels.get(level);
            int transformers = config.upAttention().get(number)
                    ? config.transformerLayers().get(level)
                    : 0;
            List<Stage> stages = new ArrayList<>();
            for (int i = 0; i <= config.layersPerBlock().get(level); i++) {
                stages.add(new Stage(current, skips.remove(skips.size() - 1), out, transformers));
                current = out;
            }
            up.add(new Block("up_blocks." + number, level, stages, level > 0));
        }
        return new UNetLayout(down, mid, up);
    }

    /** All blocks in the order they run. */
    public List<Block> blocks() {
        List<Block> blocks = new ArrayList<>(down);
        if (!mid.stages().isEmpty()) {
            blocks.add(mid);
        }
        blocks.addAll(up);
        return blocks;
    }
}
