package io.tome4j.models.unet;

import io.tome4j.tensor.OptionException;
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

    /**
     * Where a forward pass that reuses deep features leaves the way down and comes back on the way up: what lies between is
     * not computed.
     *
     * @param level the deepest level that runs
     * @param downStages how many of its stages run on the way down, from the first; its downsampler does not
     * @param upStage the first of its stages that runs on the way up; what goes into it is kept
     */
    public record Cut(int level, int downStages, int upStage) {}

    /** Branches of a level, as DeepCache counts: one before each residual block on the way down, and one after the last. */
    private static final int BRANCHES_PER_LEVEL = 3;

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

    /**
     * The cut of a branch, by the numbers that DeepCache (arXiv 2312.00858) gives them: three a level, whatever its number of
     * stages, from the shallowest. 0 leaves most out: all but the first convolution and the last stage.
     *
     * @throws OptionException if there is no such branch
     */
    public Cut cut(int branch) {
        int branches = BRANCHES_PER_LEVEL * down.size();
        if (branch < 0 || branch >= branches) {
            throw new OptionException("{reuse_branch} is " + branch + ": this model has the branches 0 to "
                    + (branches - 1) + ", from the one that saves most to the one that changes least");
        }
        int level = branch / BRANCHES_PER_LEVEL;
        int downStages =
                Math.min(branch % BRANCHES_PER_LEVEL, down.get(level).stages().size());
        int upStages = up.get(up.size() - 1 - level).stages().size();
        return new Cut(level, downStages, upStages - 1 - downStages);
    }

    /** The blocks of a forward pass that reuses what lies beyond a cut, in the order they run. */
    public List<Block> blocksAround(Cut cut) {
        List<Block> blocks = new ArrayList<>(down.subList(0, cut.level()));
        if (cut.downStages() > 0) {
            Block last = down.get(cut.level());
            blocks.add(new Block(last.name(), last.level(), last.stages().subList(0, cut.downStages()), false));
        }
        int first = up.size() - 1 - cut.level();
        Block back = up.get(first);
        blocks.add(new Block(
                back.name(),
                back.level(),
                back.stages().subList(cut.upStage(), back.stages().size()),
                back.resamples()));
        blocks.addAll(up.subList(first + 1, up.size()));
        return blocks;
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
