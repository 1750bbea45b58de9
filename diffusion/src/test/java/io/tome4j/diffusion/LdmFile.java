package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/**
 * A folder's tensors as the file that was there before it: what diffusers' conversion scripts do, written again from the
 * tables of names, by patterns and so without the dictionary that is tested.
 */
final class LdmFile {
    private static final Pattern BLOCK =
            Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(resnets|attentions|downsamplers|upsamplers)\\.(\\d+)\\.(.*)");
    private static final Pattern HINT = Pattern.compile("controlnet_cond_embedding\\.blocks\\.(\\d+)\\.(.*)");
    private static final Map<String, String> UNET = Map.of(
            "conv_in.", "input_blocks.0.0.",
            "time_embedding.linear_1.", "time_embed.0.",
            "time_embedding.linear_2.", "time_embed.2.",
            "add_embedding.linear_1.", "label_emb.0.0.",
            "add_embedding.linear_2.", "label_emb.0.2.",
            "mid_block.attentions.0.", "middle_block.1.",
            "mid_block.resnets.0.", "middle_block.0.",
            "mid_block.resnets.1.", "middle_block.2.",
            "conv_norm_out.", "out.0.",
            "conv_out.", "out.2.");
    private static final Map<String, String> RESNET = Map.of(
            "norm1.", "in_layers.0.",
            "conv1.", "in_layers.2.",
            "time_emb_proj.", "emb_layers.1.",
            "norm2.", "out_layers.0.",
            "conv2.", "out_layers.3.",
            "conv_shortcut.", "skip_connection.");
    private static final Map<String, String> VAE_PARTS = Map.of(
            "group_norm",
            "norm",
            "to_q",
            "q",
            "to_k",
            "k",
            "to_v",
            "v",
            "to_out.0",
            "proj_out",
            "query",
            "q",
            "key",
            "k",
            "value",
            "v",
            "proj_attn",
            "proj_out");

    private final CheckpointFolder folder;
    private final Map<String, Tensor> tensors = new TreeMap<>();
    private final String unetPrefix;

    private LdmFile(Path folder, String unetPrefix) {
        this.folder = CheckpointFolder.open(folder);
        this.unetPrefix = unetPrefix;
    }

    /** Writes all parts of a checkpoint of Stable Diffusion 1 or (with OpenCLIP's text encoder) 2. */
    static Path write(Path folder, Path file, boolean openClip) {
        try (var scope = TensorScope.open()) {
            LdmFile made = new LdmFile(folder, "model.diffusion_model.");
            made.unet();
            made.vae("first_stage_model.");
            if (openClip) {
                made.openClip("text_encoder", "cond_stage_model.model.");
            } else {
                made.clip("text_encoder", "cond_stage_model.transformer.text_model.");
            }
            SafetensorsWriter.write(file, made.tensors);
            return file;
        }
    }

    /** Writes all parts of a checkpoint of Stable Diffusion XL, or of its refiner, which has the second text encoder alone. */
    static Path writeXl(Path folder, Path file) {
        try (var scope = TensorScope.open()) {
            LdmFile made = new LdmFile(folder, "model.diffusion_model.");
            made.unet();
            made.vae("first_stage_model.");
            boolean base = made.folder.has("text_encoder");
            if (base) {
                made.clip("text_encoder", "conditioner.embedders.0.transformer.text_model.");
            }
            made.openClip("text_encoder_2", "conditioner.embedders." + (base ? 1 : 0) + ".model.");
            SafetensorsWriter.write(file, made.tensors);
            return file;
        }
    }

    /** Writes all parts under diffusers' names, each behind its own: as some programs keep a folder in one file. */
    static Path writeUnderDiffusersNames(Path folder, Path file) {
        try (var scope = TensorScope.open()) {
            LdmFile made = new LdmFile(folder, "");
            for (String component : List.of("text_encoder", "text_encoder_2", "unet", "vae")) {
                if (made.folder.has(component)) {
                    StoredTensors stored = weights(made.folder, component);
                    stored.names().forEach(name -> made.tensors.put(component + "." + name, stored.load(name)));
                }
            }
            SafetensorsWriter.write(file, made.tensors);
            return file;
        }
    }

    /** Writes the UNet alone. */
    static Path writeUNet(Path folder, Path file) {
        try (var scope = TensorScope.open()) {
            LdmFile made = new LdmFile(folder, "");
            made.unet();
            SafetensorsWriter.write(file, made.tensors);
            return file;
        }
    }

    /** Writes a ControlNet's folder as the first ControlNets' files were. */
    static Path writeControlNet(Path folder, Path file) {
        var net = CheckpointFolder.Component.alone(folder, "");
        StoredTensors stored = net.weights();
        int stages = net.config().integer("layers_per_block") + 1;
        Map<String, Tensor> tensors = new TreeMap<>();
        try (var scope = TensorScope.open()) {
            for (String name : stored.names()) {
                tensors.put("control_model." + controlName(name, stages, stored), stored.load(name));
            }
            SafetensorsWriter.write(file, tensors);
            return file;
        }
    }

    private static String controlName(String name, int stages, StoredTensors stored) {
        Matcher hint = HINT.matcher(name);
        if (hint.matches()) { // every second layer is an activation
            return "input_hint_block." + (2 * Integer.parseInt(hint.group(1)) + 2) + "." + hint.group(2);
        }
        String renamed = name.replace("controlnet_cond_embedding.conv_in", "input_hint_block.0")
                .replace("controlnet_cond_embedding.conv_out", "input_hint_block.14")
                .replace("controlnet_mid_block", "middle_block_out.0")
                .replaceFirst("controlnet_down_blocks\\.(\\d+)", "zero_convs.$1.0");
        return renamed.equals(name) ? unetName(name, stages, stored) : renamed;
    }

    /** Writes the VAE alone. */
    static Path writeVae(Path folder, Path file) {
        try (var scope = TensorScope.open()) {
            LdmFile made = new LdmFile(folder, "");
            made.vae("");
            SafetensorsWriter.write(file, made.tensors);
            return file;
        }
    }

    private static StoredTensors weights(CheckpointFolder folder, String component) {
        return folder.component(component).weights();
    }

    private void unet() {
        Config config = folder.component("unet").config();
        int stages = config.integer("layers_per_block") + 1;
        StoredTensors unet = weights(folder, "unet");
        for (String name : unet.names()) {
            tensors.put(unetPrefix + unetName(name, stages, unet), unet.load(name));
        }
    }

    private static String unetName(String name, int stages, StoredTensors unet) {
        Matcher block = BLOCK.matcher(name);
        if (block.matches()) {
            int number = Integer.parseInt(block.group(2));
            int stage = Integer.parseInt(block.group(4));
            boolean down = block.group(1).equals("down");
            String place = down
                    ? "input_blocks." + (1 + number * stages + stage)
                    : "output_blocks." + (number * stages + stage);
            return switch (block.group(3)) {
                case "resnets" -> place + ".0." + replaced(block.group(5), RESNET);
                case "attentions" -> place + ".1." + block.group(5);
                case "downsamplers" ->
                    "input_blocks." + (number + 1) * stages + ".0.op"
                            + block.group(5).substring("conv".length());
                default ->
                    "output_blocks." + (number * stages + stages - 1) + "."
                            + (unet.has("up_blocks." + number + ".attentions.0.norm.weight") ? 2 : 1) + "."
                            + block.group(5);
            };
        }
        if (name.startsWith("time_embedding.cond_proj.")) { // of latent consistency models
            return name.replace("time_embedding", "time_embed");
        }
        String renamed = replaced(name, UNET);
        return name.startsWith("mid_block.resnets")
                ? renamed.substring(0, "middle_block.0.".length())
                        + replaced(name.substring("mid_block.resnets.0.".length()), RESNET)
                : renamed;
    }

    private static String replaced(String name, Map<String, String> beginnings) {
        return beginnings.entrySet().stream()
                .filter(entry -> name.startsWith(entry.getKey()))
                .map(entry -> entry.getValue() + name.substring(entry.getKey().length()))
                .findFirst()
                .orElse(name);
    }

    private void vae(String prefix) {
        StoredTensors vae = weights(folder, "vae");
        int levels = folder.component("vae").config().integers("block_out_channels").length;
        for (String name : vae.names()) {
            Tensor tensor = vae.load(name);
            String renamed = name.replace("conv_norm_out", "norm_out")
                    .replace("conv_shortcut", "nin_shortcut")
                    .replace("mid_block.resnets.0", "mid.block_1")
                    .replace("mid_block.resnets.1", "mid.block_2")
                    .replace("downsamplers.0", "downsample")
                    .replace("upsamplers.0", "upsample")
                    .replace("resnets", "block")
                    .replace("down_blocks", "down");
            if (renamed.contains("mid_block.attentions.0.")) {
                for (var part : VAE_PARTS.entrySet()) {
                    renamed =
                            renamed.replace("mid_block.attentions.0." + part.getKey(), "mid.attn_1." + part.getValue());
                }
                tensor = tensor.dim() == 2 ? tensor.unsqueeze(-1).unsqueeze(-1) : tensor;
            }
            for (int number = 0; number < levels; number++) {
                renamed = renamed.replace("up_blocks." + number + ".", "up." + (levels - 1 - number) + ".");
            }
            tensors.put(prefix + renamed, tensor);
        }
    }

    private void clip(String component, String prefix) {
        StoredTensors text = weights(folder, component);
        text.names().forEach(name -> tensors.put(prefix + name.replaceFirst("^text_model\\.", ""), text.load(name)));
    }

    private void openClip(String component, String prefix) {
        StoredTensors text = weights(folder, component);
        Map<String, Tensor> fused = new TreeMap<>();
        for (String full : text.names()) {
            String name = full.replaceFirst("^text_model\\.", "");
            if (name.equals("text_projection.weight")) {
                tensors.put(prefix + "text_projection", text.load(full).t().contiguous());
            } else if (name.contains("self_attn") && !name.contains("out_proj")) {
                String place = name.replaceFirst("\\.[qkv]_proj\\.", ".q_proj.");
                if (name.equals(place)) {
                    fused.put(
                            prefix + openClipName(name).replace("self_attn.q_proj.", "attn.in_proj_"),
                            Tensors.cat(
                                    0,
                                    text.load(full),
                                    text.load(full.replace("q_proj", "k_proj")),
                                    text.load(full.replace("q_proj", "v_proj"))));
                }
            } else if (!name.endsWith("position_ids")) {
                tensors.put(prefix + openClipName(name), text.load(full));
            }
        }
        tensors.putAll(fused);
    }

    private static String openClipName(String name) {
        return name.replace("encoder.layers.", "transformer.resblocks.")
                .replace("layer_norm", "ln_")
                .replace("final_ln_", "ln_final")
                .replace("self_attn.out_proj", "attn.out_proj")
                .replace("mlp.fc1", "mlp.c_fc")
                .replace("mlp.fc2", "mlp.c_proj")
                .replace("embeddings.token_embedding", "token_embedding")
                .replace("embeddings.position_embedding.weight", "positional_embedding");
    }
}
