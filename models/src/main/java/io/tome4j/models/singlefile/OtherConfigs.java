package io.tome4j.models.singlefile;

import io.tome4j.models.singlefile.BaseModel.Kind;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The configs of a VAE and of text encoders, told from the names and shapes of their tensors. */
final class OtherConfigs {
    private static final int HEAD_SIZE = 64;

    /** Stable Diffusion 2 uses the last layer but one; files hold the last one, too, as layer 23. */
    static final int LAYERS_OF_SD2 = 23;

    private static final int LATENT_CHANNELS = 4;

    private OtherConfigs() {}

    /**
     * The config of a VAE.
     *
     * @param latentScale which its tensors do not tell
     * @throws TomeException if it is that of a model with other latents
     */
    static ConfigBuilder vae(TensorView vae, Naming naming, double latentScale) {
        boolean ldm = naming == Naming.LDM;
        int latents = vae.size("decoder.conv_in.weight", 1);
        if (latents != LATENT_CHANNELS) {
            throw new TomeException("The VAE in " + vae.tensors().origin(vae.prefix()) + " has " + latents
                    + " latent channels: " + (latents == 16 ? "it belongs to Stable Diffusion 3 or Flux. " : "")
                    + "Models of Stable Diffusion 1, 2 and XL need one of " + LATENT_CHANNELS + ".");
        }
        List<Integer> channels = new ArrayList<>();
        String block = ldm ? "encoder.down.%d.block.0.conv1.weight" : "encoder.down_blocks.%d.resnets.0.conv1.weight";
        int levels = vae.count(block);
        for (int level = 0; level < levels; level++) {
            channels.add(vae.size(block.replace("%d", Integer.toString(level)), 0));
        }
        return new ConfigBuilder()
                .put("in_channels", vae.size("encoder.conv_in.weight", 1))
                .put("out_channels", vae.size("decoder.conv_out.weight", 0))
                .put("latent_channels", latents)
                .put("block_out_channels", channels)
                .put("down_block_types", Collections.nCopies(levels, "DownEncoderBlock2D"))
                .put("up_block_types", Collections.nCopies(levels, "UpDecoderBlock2D"))
                .put(
                        "layers_per_block",
                        vae.count(
                                ldm
                                        ? "encoder.down.0.block.%d.conv1.weight"
                                        : "encoder.down_blocks.0.resnets.%d.conv1.weight"))
                .put("use_quant_conv", vae.has("quant_conv.weight"))
                .put("use_post_quant_conv", vae.has("post_quant_conv.weight"))
                .put(
                        "mid_block_add_attention",
                        vae.has(
                                ldm
                                        ? "encoder.mid.attn_1.norm.weight"
                                        : "encoder.mid_block.attentions.0.group_norm.weight"))
                .put("scaling_factor", latentScale);
    }

    /**
     * The config of a text encoder.
     *
     * @param projects whether the projection of its pooled output is used
     */
    static ConfigBuilder text(TensorView text, Naming naming, Kind kind, boolean projects) {
        boolean open = naming == Naming.OPEN_CLIP;
        TensorView model = open ? text : modelBelow(text);
        String embedding = open ? "token_embedding.weight" : "embeddings.token_embedding.weight";
        int size = model.size(embedding, 1);
        int layers =
                model.count(open ? "transformer.resblocks.%d.ln_1.weight" : "encoder.layers.%d.layer_norm1.weight");
        ConfigBuilder config = new ConfigBuilder()
                .put("model_type", "clip_text_model")
                .put("architectures", List.of("CLIPTextModel" + (projects ? "WithProjection" : "")))
                .put("vocab_size", model.size(embedding, 0))
                .put("hidden_size", size)
                .put(
                        "intermediate_size",
                        model.size(
                                open ? "transformer.resblocks.0.mlp.c_fc.weight" : "encoder.layers.0.mlp.fc1.weight",
                                0))
                .put(
                        "max_position_embeddings",
                        model.size(open ? "positional_embedding" : "embeddings.position_embedding.weight", 0))
                .put("num_hidden_layers", kind == Kind.SD2 ? Math.min(layers, LAYERS_OF_SD2) : layers)
                .put("num_attention_heads", Math.max(1, size / HEAD_SIZE))
                // Of CLIP's own weights; those of OpenCLIP were trained with the exact function.
                .put("hidden_act", kind == Kind.SD1 || (kind == Kind.SDXL && !projects) ? "quick_gelu" : "gelu")
                .put("eos_token_id", 2); // as the published configs have it: the end is at the largest id
        int projection = open ? text.size("text_projection", 1) : text.size("text_projection.weight", 0);
        if (projection > 0) {
            config.put("projection_dim", projection);
        }
        return config;
    }

    /** Files name the model itself before its parts, or not. */
    static TensorView modelBelow(TensorView text) {
        TensorView model = text.below("text_model");
        return model.has("embeddings.token_embedding.weight") ? model : text;
    }
}
