package io.tome4j.models.unet;

import io.tome4j.checkpoint.ModuleNames;
import io.tome4j.checkpoint.RenamedWeights;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A ControlNet in one file without a config: under the names of the first ControlNets ({@code control_model.}) or diffusers'.
 * What shapes do not tell, such as the number of heads, is that of the UNet which it copies.
 *
 * @param tensors by diffusers' names
 * @param config read off the shapes
 */
public record ControlNetFile(Weights.Source tensors, ControlNetConfig config) {
    private static final String LDM = "control_model.";
    private static final String EMBEDDING = "controlnet_cond_embedding.";
    private static final int HINTS = 8; // convolutions that see the control image

    /** What a tensor's name gives away, and what the file is then called. */
    private static final Map<String, String> OTHERS = new LinkedHashMap<>();

    static {
        OTHERS.put("lora_controlnet", "a Control-LoRA");
        OTHERS.put("task_embedding", "a ControlNet Union");
        OTHERS.put("transformer_layes", "a ControlNet Union");
        OTHERS.put("control_add_embedding", "a ControlNet Union");
        OTHERS.put("lllite_", "a ControlNet-LLLite");
        OTHERS.put("difference", "a ControlNet kept as the difference to a model");
        OTHERS.put("ip_adapter", "an IP-Adapter");
        OTHERS.put("image_proj", "an IP-Adapter");
        OTHERS.put("adapter.body", "a T2I-Adapter");
        OTHERS.put("body.0.block1", "a T2I-Adapter");
        OTHERS.put("lora_up", "a LoRA");
        OTHERS.put("lora_B", "a LoRA");
    }

    /**
     * Reads what a file holds.
     *
     * @param unet what the UNet to be steered was built from
     * @throws TomeException if it is none, of a kind that is not supported, or for another model
     */
    public static ControlNetFile of(StoredTensors file, UNetConfig unet) {
        requireKind(file);
        requireTextSize(file, unet);
        Weights.Source tensors = RenamedWeights.of(file, newNames(file.names(), unet)::get);
        Map<String, long[]> shapes = new HashMap<>();
        newNames(file.names(), unet).forEach((stored, name) -> shapes.put(name, file.shape(stored)));
        UNetConfig encoder = unet.likeEncoder(
                (int) shape(shapes, "conv_in.weight", file)[1],
                level -> transformers(shapes, "down_blocks." + level),
                transformers(shapes, "mid_block"));
        List<Integer> embedding = new ArrayList<>();
        long[] first = shape(shapes, EMBEDDING + "conv_in.weight", file);
        embedding.add((int) first[0]);
        for (int i = 1; shapes.containsKey(EMBEDDING + "blocks." + i + ".weight"); i += 2) {
            embedding.add((int) shape(shapes, EMBEDDING + "blocks." + i + ".weight", file)[0]);
        }
        return new ControlNetFile(tensors, new ControlNetConfig(encoder, (int) first[1], embedding, false, false));
    }

    /** @throws TomeException if the tensors are those of something else, naming it */
    public static void requireKind(StoredTensors file) {
        for (String name : file.names()) {
            OTHERS.forEach((part, kind) -> {
                if (name.contains(part)) {
                    throw new TomeException(file.origin(name) + " is " + kind + " (it has the tensor '" + name
                            + "'), and no ControlNet as this option takes it: a whole one is needed.");
                }
            });
        }
        if (file.names().stream().noneMatch(name -> name.contains("input_hint_block.") || name.contains(EMBEDDING))) {
            throw new TomeException(file.origin("") + " is no ControlNet: nothing in it sees a control image.");
        }
    }

    private static void requireTextSize(StoredTensors file, UNetConfig unet) {
        for (String name : file.names()) {
            if (name.endsWith("attn2.to_k.weight") && file.shape(name)[1] != unet.crossAttentionDim()) {
                throw misfit(file.origin(name), file.shape(name)[1], unet.crossAttentionDim());
            }
        }
    }

    /**
     * @param origin what to call the net in messages
     * @throws TomeException if the net's features would not fit the UNet's
     */
    public static void requireFit(UNetConfig net, UNetConfig unet, String origin) {
        if (net.crossAttentionDim() != unet.crossAttentionDim()) {
            throw misfit(origin, net.crossAttentionDim(), unet.crossAttentionDim());
        }
        if (!net.blockOutChannels().equals(unet.blockOutChannels())
                || !net.layersPerBlock().equals(unet.layersPerBlock())
                || !net.textTime().equals(unet.textTime())) {
            throw new TomeException("The ControlNet " + origin + " does not fit the model: it has channels of "
                    + net.blockOutChannels() + " in blocks of " + net.layersPerBlock() + " layers, and the model has "
                    + unet.blockOutChannels() + " in blocks of " + unet.layersPerBlock() + ".");
        }
    }

    private static TomeException misfit(String origin, long ofNet, long ofUNet) {
        return new TomeException("The ControlNet " + origin + " is for " + family(ofNet) + ", and the model is "
                + family(ofUNet) + ": choose a ControlNet of the model's family.");
    }

    /** The family of models whose texts are so wide, in a sentence. */
    static String family(long textSize) {
        String name =
                switch ((int) textSize) {
                    case 768 -> "Stable Diffusion 1.x";
                    case 1024 -> "Stable Diffusion 2.x";
                    case 1280 -> "the refiner of Stable Diffusion XL";
                    case 2048 -> "Stable Diffusion XL";
                    default -> "another one";
                };
        return name + " (text embeddings of " + textSize + ")";
    }

    private static long[] shape(Map<String, long[]> shapes, String name, StoredTensors file) {
        long[] shape = shapes.get(name);
        if (shape == null || shape.length != 4) {
            throw new TomeException("The ControlNet " + file.origin("") + " has no convolution '" + name + "'.");
        }
        return shape;
    }

    /** Transformer blocks of the first attention in a block of the net. */
    private static int transformers(Map<String, long[]> shapes, String block) {
        int count = 0;
        while (shapes.containsKey(block + ".attentions.0.transformer_blocks." + count + ".norm1.weight")) {
            count++;
        }
        return count;
    }

    /** By each stored name the one in diffusers. */
    private static Map<String, String> newNames(Set<String> stored, UNetConfig unet) {
        Map<String, String> names = new HashMap<>();
        boolean isLdm = stored.stream().anyMatch(name -> name.contains("input_hint_block."));
        Map<String, String> modules = isLdm ? ldmModules(unet) : Map.of();
        for (String name : stored) {
            String bare = name.startsWith(LDM) ? name.substring(LDM.length()) : name;
            int dot = bare.lastIndexOf('.');
            String module = dot < 0 ? bare : bare.substring(0, dot);
            names.put(name, isLdm ? modules.getOrDefault(module, module) + bare.substring(module.length()) : bare);
        }
        return names;
    }

    private static Map<String, String> ldmModules(UNetConfig unet) {
        Map<String, String> modules = new HashMap<>();
        ModuleNames encoder = UNetNames.ofEncoder(unet);
        modules.putAll(encoder.ldmToDiffusers());
        modules.put("label_emb.0.0", "add_embedding.linear_1");
        modules.put("label_emb.0.2", "add_embedding.linear_2");
        modules.put("input_hint_block.0", EMBEDDING + "conv_in");
        for (int i = 1; i < HINTS - 1; i++) {
            modules.put("input_hint_block." + 2 * i, EMBEDDING + "blocks." + (i - 1));
        }
        modules.put("input_hint_block." + 2 * (HINTS - 1), EMBEDDING + "conv_out");
        int skips = 1;
        for (UNetLayout.Block block : unet.layout().down()) {
            skips += block.stages().size() + (block.resamples() ? 1 : 0);
        }
        for (int i = 0; i < skips; i++) {
            modules.put("zero_convs." + i + ".0", "controlnet_down_blocks." + i);
        }
        modules.put("middle_block_out.0", "controlnet_mid_block");
        return modules;
    }
}
