package io.tome4j.models.unet;

import io.tome4j.checkpoint.ModuleNames;
import io.tome4j.models.unet.UNetLayout.Block;
import io.tome4j.models.unet.UNetLayout.Stage;
import java.util.List;

/**
 * The modules of a UNet under diffusers' and LDM's names. LDM numbers what runs on the way down, and on the way up, without
 * regard to levels ({@code input_blocks.4}): so the numbers depend on how many stages the levels before have.
 */
public final class UNetNames {
    private static final List<String> IN_BLOCK = List.of(
            "norm1",
            "attn1.to_q",
            "attn1.to_k",
            "attn1.to_v",
            "attn1.to_out.0",
            "norm2",
            "attn2.to_q",
            "attn2.to_k",
            "attn2.to_v",
            "attn2.to_out.0",
            "norm3",
            "ff.net.0.proj",
            "ff.net.2");

    private final ModuleNames.Builder names = new ModuleNames.Builder();
    private final UNetConfig config;
    private final UNetLayout layout;

    private UNetNames(UNetConfig config) {
        this.config = config;
        this.layout = config.layout();
    }

    /** Of all modules of the model that a config describes. */
    public static ModuleNames of(UNetConfig config) {
        UNetNames made = new UNetNames(config);
        made.wayDown();
        made.wayUp();
        return made.names.build();
    }

    /** Of those up to the middle, which a ControlNet of such a model has likewise. */
    public static ModuleNames ofEncoder(UNetConfig config) {
        UNetNames made = new UNetNames(config);
        made.wayDown();
        return made.names.build();
    }

    private void wayDown() {
        names.add("conv_in", "input_blocks.0.0");
        embeddings();
        int number = 1;
        for (Block block : layout.down()) {
            for (int i = 0; i < block.stages().size(); i++) {
                stage(block, i, "input_blocks." + number++);
            }
            if (block.resamples()) {
                names.add(block.name() + ".downsamplers.0.conv", "input_blocks." + number++ + ".0.op");
            }
        }
        int part = 0;
        for (int i = 0; i < layout.mid().stages().size(); i++) {
            Stage stage = layout.mid().stages().get(i);
            resnet(stage, layout.mid().name() + ".resnets." + i, "middle_block." + part++);
            if (stage.attends()) {
                attention(stage, layout.mid().name() + ".attentions." + i, "middle_block." + part++);
            }
        }
    }

    private void embeddings() {
        names.add("time_embedding.linear_1", "time_embed.0").add("time_embedding.linear_2", "time_embed.2");
        if (config.guidanceSize() > 0) {
            names.add("time_embedding.cond_proj", "time_embed.cond_proj");
        }
        if (config.textTime().isPresent()) {
            names.add("add_embedding.linear_1", "label_emb.0.0").add("add_embedding.linear_2", "label_emb.0.2");
        }
    }

    private void wayUp() {
        int number = 0;
        for (Block block : layout.up()) {
            for (int i = 0; i < block.stages().size(); i++) {
                stage(block, i, "output_blocks." + number++);
            }
            if (block.resamples()) { // after the last stage, in its block
                int part = block.stages().get(block.stages().size() - 1).attends() ? 2 : 1;
                names.add(block.name() + ".upsamplers.0.conv", "output_blocks." + (number - 1) + "." + part + ".conv");
            }
        }
        names.add("conv_norm_out", "out.0").add("conv_out", "out.2");
    }

    private void stage(Block block, int number, String ldm) {
        Stage stage = block.stages().get(number);
        resnet(stage, block.name() + ".resnets." + number, ldm + ".0");
        if (stage.attends()) {
            attention(stage, block.name() + ".attentions." + number, ldm + ".1");
        }
    }

    private void resnet(Stage stage, String diffusers, String ldm) {
        ModuleNames.Builder resnet = names.below(diffusers, ldm);
        resnet.add("norm1", "in_layers.0").add("conv1", "in_layers.2");
        resnet.add("time_emb_proj", "emb_layers.1");
        resnet.add("norm2", "out_layers.0").add("conv2", "out_layers.3");
        if (stage.joined() != stage.out()) {
            resnet.add("conv_shortcut", "skip_connection");
        }
    }

    private void attention(Stage stage, String diffusers, String ldm) {
        ModuleNames.Builder attention = names.below(diffusers, ldm);
        attention.add(List.of("norm", "proj_in"));
        for (int i = 0; i < stage.transformers(); i++) {
            attention.below("transformer_blocks." + i).add(IN_BLOCK);
        }
        attention.add(List.of("proj_out"));
    }
}
