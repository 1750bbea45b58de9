package io.tome4j.models.singlefile;

import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * What the names and shapes of a UNet's tensors say of it: enough for a config, but for what training alone knows (size,
 * prediction type) and for the heads, which are the family's.
 */
final class UNetStructure {
    private static final int HEADS_OF_SD1 = 8;
    private static final int HEAD_SIZE = 64;
    private static final int MOST_LEVELS = 16;

    /** A level on one way: its residual blocks' channels, and how many transformer blocks follow each. */
    private record Level(int channels, List<Integer> depths) {}

    private final TensorView unet;
    private final Naming naming;
    private final List<Level> down = new ArrayList<>();
    private final List<List<Integer>> up = new ArrayList<>(); // depths, first of the smallest feature map
    private int middleDepth;

    UNetStructure(TensorView unet, Naming naming) {
        this.unet = unet;
        this.naming = naming;
        readWayDown();
        readMiddle();
        readWayUp();
    }

    int inChannels() {
        return unet.size(naming == Naming.LDM ? "input_blocks.0.0.weight" : "conv_in.weight", 1);
    }

    int outChannels() {
        return unet.size(naming == Naming.LDM ? "out.2.weight" : "conv_out.weight", 0);
    }

    /** Size of the text embedding that cross-attention sees; 0 where there is none. */
    int textSize() {
        return unet.names()
                .filter(name -> name.endsWith(".attn2.to_k.weight"))
                .findFirst()
                .map(name -> unet.tensors().shape(name))
                .filter(shape -> shape.length == 2)
                .map(shape -> (int) shape[1])
                .orElse(0);
    }

    /** Size of what is embedded beside the timestep; 0 for nothing. */
    int addedSize() {
        return unet.size(naming == Naming.LDM ? "label_emb.0.0.weight" : "add_embedding.linear_1.weight", 1);
    }

    /** Size of the guidance scale's embedding, which distilled consistency models have; 0 for none. */
    int guidanceSize() {
        return unet.size(naming == Naming.LDM ? "time_embed.cond_proj.weight" : "time_embedding.cond_proj.weight", 1);
    }

    /** Channels of the first level. */
    int width() {
        return down.isEmpty() ? 0 : down.get(0).channels();
    }

    private void readWayDown() {
        int number = 1;
        for (int level = 0; level < MOST_LEVELS; level++) {
            int block = level;
            List<Integer> depths = new ArrayList<>();
            int channels = 0;
            while (true) {
                int stage = depths.size();
                int place = number;
                TensorView resnet = naming == Naming.LDM
                        ? unet.below("input_blocks." + place + ".0.in_layers.2")
                        : unet.below("down_blocks." + block + ".resnets." + stage + ".conv1");
                if (!resnet.has("weight")) {
                    break;
                }
                channels = resnet.size("weight", 0);
                depths.add(depth(
                        naming == Naming.LDM
                                ? "input_blocks." + place + ".1"
                                : "down_blocks." + block + ".attentions." + stage));
                number++;
            }
            if (depths.isEmpty()) {
                return;
            }
            down.add(new Level(channels, depths));
            boolean more = unet.has(
                    naming == Naming.LDM
                            ? "input_blocks." + number + ".0.op.weight"
                            : "down_blocks." + block + ".downsamplers.0.conv.weight");
            if (!more) {
                return;
            }
            number++;
        }
    }

    private void readMiddle() {
        middleDepth = depth(naming == Naming.LDM ? "middle_block.1" : "mid_block.attentions.0");
    }

    private boolean hasMiddle() {
        return unet.has(
                naming == Naming.LDM ? "middle_block.0.in_layers.2.weight" : "mid_block.resnets.0.conv1.weight");
    }

    private void readWayUp() {
        int number = 0;
        for (int block = 0; block < down.size(); block++) {
            int stages = down.get(down.size() - 1 - block).depths().size() + 1;
            List<Integer> depths = new ArrayList<>();
            for (int stage = 0; stage < stages; stage++) {
                depths.add(depth(
                        naming == Naming.LDM
                                ? "output_blocks." + number + ".1"
                                : "up_blocks." + block + ".attentions." + stage));
                number++;
            }
            up.add(depths);
        }
    }

    /** How many transformer blocks lie in a part; 0 where it is none, or is not there. */
    private int depth(String attention) {
        return unet.count(attention + ".transformer_blocks.%d.norm1.weight");
    }

    /** Whether the projections around transformer blocks are linear layers. */
    private boolean isLinear() {
        return unet.names()
                .filter(name -> name.endsWith(".proj_in.weight"))
                .findFirst()
                .map(name -> unet.tensors().shape(name).length == 2)
                .orElse(false);
    }

    /**
     * The config that describes it.
     *
     * @param base whose heads, sizes and embeddings it has
     * @throws TomeException if it is of no shape that a config can say
     */
    ConfigBuilder config(BaseModel base) {
        if (down.isEmpty()) {
            throw broken("it has no residual blocks");
        }
        List<Integer> channels = down.stream().map(Level::channels).toList();
        int levels = down.size();
        ConfigBuilder config = new ConfigBuilder();
        config.put("in_channels", inChannels());
        if (outChannels() > 0) { // else its last layer is missing, which is said of the tensor
            config.put("out_channels", outChannels());
        }
        config.put("sample_size", base.sampleSize());
        config.put("block_out_channels", channels);
        config.put(
                "layers_per_block",
                each(levels, level -> down.get(level).depths().size()));
        config.put(
                "down_block_types",
                each(levels, level -> (attends(down.get(level).depths()) ? "CrossAttn" : "") + "DownBlock2D"));
        config.put("up_block_types", each(levels, block -> (attends(up.get(block)) ? "CrossAttn" : "") + "UpBlock2D"));
        if (hasMiddle()) {
            config.put("mid_block_type", "UNetMidBlock2D" + (middleDepth > 0 ? "CrossAttn" : ""));
        } else {
            config.putNull("mid_block_type");
        }
        config.put("transformer_layers_per_block", each(levels, this::depthOfLevel));
        config.put("cross_attention_dim", textSize() == 0 ? base.kind().textSize() : textSize());
        config.put("use_linear_projection", isLinear());
        config.put("attention_head_dim", each(levels, level -> heads(base, channels.get(level))));
        if (addedSize() > 0) {
            config.put("addition_embed_type", "text_time");
            config.put("addition_time_embed_dim", 256);
            config.put("projection_class_embeddings_input_dim", addedSize());
        }
        if (guidanceSize() > 0) {
            config.put("time_cond_proj_dim", guidanceSize());
        }
        return config;
    }

    private static boolean attends(List<Integer> depths) {
        return depths.stream().anyMatch(depth -> depth > 0);
    }

    private static <T> List<T> each(int count, IntFunction<T> value) {
        List<T> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(value.apply(i));
        }
        return values;
    }

    /** The same on both ways, and in the middle as at the last level. */
    private int depthOfLevel(int level) {
        List<Integer> depths = new ArrayList<>();
        for (List<Integer> way : List.of(down.get(level).depths(), up.get(down.size() - 1 - level))) {
            if (attends(way)) {
                depths.addAll(way);
            }
        }
        if (level == down.size() - 1 && middleDepth > 0) {
            depths.add(middleDepth);
        }
        if (depths.stream().distinct().count() > 1) {
            throw broken("the stages of its level " + level + " have different numbers of transformer blocks, " + depths
                    + ", as distilled models such as SSD-1B, Segmind Vega and KOALA do; these are not supported yet");
        }
        return depths.isEmpty() ? 1 : depths.get(0);
    }

    private int heads(BaseModel base, int channels) {
        if (base.kind() == BaseModel.Kind.SD1) {
            return HEADS_OF_SD1;
        }
        if (channels % HEAD_SIZE != 0) {
            throw broken("its levels have " + channels + " channels, and models of " + base.title()
                    + " have heads of 64; a model of another shape needs a folder with its config (config)");
        }
        return channels / HEAD_SIZE;
    }

    private TomeException broken(String what) {
        return TomeException.about(
                "config", "The UNet in " + unet.tensors().origin(unet.prefix()) + " cannot be used: " + what + ".");
    }
}
