package io.tome4j.models.vae;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ModuleNames;
import java.util.List;

/**
 * The modules of an autoencoder under diffusers' and LDM's names. In LDM the linear layers of its attention are 1x1
 * convolutions.
 */
public final class VaeNames {
    private VaeNames() {}

    /**
     * Of all modules of the model that a config describes.
     *
     * @param config {@code vae/config.json}
     * @throws io.tome4j.tensor.TomeException if it has a setting that is not supported
     */
    public static ModuleNames of(Config config) {
        VaeConfig read = VaeConfig.of(config);
        ModuleNames.Builder names = new ModuleNames.Builder();
        ModuleNames.Builder encoder = names.below("encoder");
        ModuleNames.Builder decoder = names.below("decoder");
        for (ModuleNames.Builder half : List.of(encoder, decoder)) {
            half.add("conv_in", "conv_in");
            middle(half, read);
            half.add("conv_norm_out", "norm_out").add("conv_out", "conv_out");
        }
        List<Integer> channels = read.blockOutChannels();
        int last = read.levels() - 1;
        for (int level = 0; level <= last; level++) {
            ModuleNames.Builder down = encoder.below("down_blocks." + level, "down." + level);
            resnets(down, read.layersPerBlock(), channels.get(Math.max(0, level - 1)), channels.get(level));
            if (level < last) {
                down.add("downsamplers.0.conv", "downsample.conv");
            }
            ModuleNames.Builder up = decoder.below("up_blocks." + (last - level), "up." + level);
            resnets(up, read.layersPerBlock() + 1, channels.get(Math.min(last, level + 1)), channels.get(level));
            if (level > 0) {
                up.add("upsamplers.0.conv", "upsample.conv");
            }
        }
        if (read.useQuantConv()) {
            names.add("quant_conv", "quant_conv");
        }
        if (read.usePostQuantConv()) {
            names.add("post_quant_conv", "post_quant_conv");
        }
        return names.build();
    }

    private static void middle(ModuleNames.Builder half, VaeConfig config) {
        resnet(half.below("mid_block.resnets.0", "mid.block_1"), false);
        if (config.midBlockAddAttention()) {
            half.below("mid_block.attentions.0", "mid.attn_1")
                    .add("group_norm", "norm")
                    .add("to_q", "q")
                    .add("to_k", "k")
                    .add("to_v", "v")
                    .add("to_out.0", "proj_out");
        }
        resnet(half.below("mid_block.resnets.1", "mid.block_2"), false);
    }

    private static void resnets(ModuleNames.Builder block, int count, int in, int out) {
        for (int i = 0; i < count; i++) {
            resnet(block.below("resnets." + i, "block." + i), i == 0 && in != out);
        }
    }

    private static void resnet(ModuleNames.Builder resnet, boolean shortcut) {
        resnet.add(List.of("norm1", "conv1", "norm2", "conv2"));
        if (shortcut) {
            resnet.add("conv_shortcut", "nin_shortcut");
        }
    }
}
