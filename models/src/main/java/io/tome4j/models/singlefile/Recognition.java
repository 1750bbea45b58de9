package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.models.singlefile.BaseModel.Kind;
import io.tome4j.models.singlefile.FileContents.Part;
import io.tome4j.models.unet.T2IAdapterFile;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Tells what a file holds by the names and shapes of its tensors. */
final class Recognition {
    private static final List<String> UNETS = List.of("model.diffusion_model.", "diffusion_model.", "unet.", "");
    private static final List<String> VAES = List.of("first_stage_model.", "vae.", "");
    private static final String SD1_TEXT = "cond_stage_model.";
    private static final String XL_TEXT = "conditioner.embedders.";

    private static final Pattern LORA = Pattern.compile(
            ".*(\\.lora_(down|up|mid)\\.weight|\\.lora_[AB](\\.\\w+)?\\.weight|_lora\\.(down|up)\\.weight"
                    + "|\\.lora_linear_layer\\.(down|up)\\.weight|\\.hada_w[12]_[ab]|\\.lokr_w[12](_[ab])?|\\.dora_scale"
                    + "|\\.on_input|\\.oft_(blocks|diag)|^(lora_unet|lora_te\\d?)_.*\\.diff)");
    private static final Pattern QUANTISED =
            Pattern.compile(".*(\\.absmax|\\.quant_map|\\.nested_absmax|\\.quant_state\\..*|\\.comfy_quant)");
    private static final Pattern TAESD =
            Pattern.compile("((taesd_)?(en|de)coder\\.(layers\\.)?)?\\d+\\.conv\\.[024]\\.weight");
    private static final Pattern UPSCALER = Pattern.compile(
            "((params_ema|params|module|netG)\\.)?(model\\.1\\.sub\\.\\d+\\.RDB\\d|(body|RRDB_trunk)\\.\\d+\\.(RDB|rdb)\\d).*");
    private static final Pattern OTHER_UPSCALER = Pattern.compile(
            "((params_ema|params|module)\\.)?(layers\\.0\\.(residual_group|blocks)|before_RG|upsample\\.0\\.weight|body\\.0\\.weight).*");

    /** What embeddings are as wide as. */
    private static final Set<Integer> WIDTHS = Set.of(768, 1024, 1280);

    private Recognition() {}

    /** @throws TomeException if weights are quantised to fewer than eight bits, or in a way that needs a program of its own */
    static void requireReadable(SafetensorsFile file) {
        for (String name : file.names()) {
            boolean bytes = Set.of("U8", "I8").contains(file.dtype(name)) && name.endsWith(".weight");
            if (bytes || QUANTISED.matcher(name).matches()) {
                throw new TomeException("The file " + file.path() + " is quantised ('" + name + "'"
                        + (bytes ? " is of " + file.dtype(name) : "")
                        + ": bitsandbytes, NF4 or the like), and tome4j reads"
                        + " weights in fp32, fp16, bf16 and fp8. Get the model in one of these.");
            }
        }
    }

    /**
     * The parts of a model that a file has, by their names in diffusers.
     *
     * @throws TomeException if there are two of one
     */
    static Map<String, Part> parts(StoredTensors tensors, Path file) {
        Map<String, Part> parts = new LinkedHashMap<>();
        Set<String> unets = new TreeSet<>();
        for (String prefix : UNETS) {
            TensorView view = new TensorView(tensors, prefix);
            if (view.has("input_blocks.0.0.weight") && view.has("time_embed.0.weight")) {
                parts.put("unet", new Part(view, Naming.LDM));
                unets.add(prefix + "input_blocks");
            }
            if (view.has("down_blocks.0.resnets.0.conv1.weight")
                    && view.has("up_blocks.0.resnets.0.conv1.weight")
                    && view.has("time_embedding.linear_1.weight")) {
                parts.put("unet", new Part(view, Naming.DIFFUSERS));
                unets.add(prefix + "down_blocks");
            }
        }
        others(tensors).forEach(kind -> unets.add(kind.title()));
        if (parts.containsKey("unet") && tensors.names().stream().anyMatch(name -> name.startsWith("control_model."))) {
            unets.add("control_model");
        }
        if (unets.size() > 1) {
            throw twoModels(file, unets);
        }
        vae(tensors).ifPresent(vae -> parts.put("vae", vae));
        texts(tensors, parts, file);
        return parts;
    }

    private static TomeException twoModels(Path file, Set<String> names) {
        return new TomeException("The file " + file + " holds two models at once (" + String.join(" and ", names)
                + "): it was put together by mistake, and nobody can tell which of them is meant. Get the model anew.");
    }

    private static Optional<Part> vae(StoredTensors tensors) {
        for (String prefix : VAES) {
            TensorView view = new TensorView(tensors, prefix);
            if (view.has("decoder.conv_in.weight") || view.has("encoder.conv_in.weight")) {
                boolean ldm = view.has("decoder.up.0.block.0.conv1.weight")
                        || view.has("encoder.down.0.block.0.conv1.weight");
                return Optional.of(new Part(view, ldm ? Naming.LDM : Naming.DIFFUSERS));
            }
        }
        return Optional.empty();
    }

    private static void texts(StoredTensors tensors, Map<String, Part> parts, Path file) {
        boolean sd1 = tensors.names().stream()
                .anyMatch(name ->
                        name.startsWith(SD1_TEXT + "transformer.") || name.startsWith(SD1_TEXT + "model.transformer."));
        boolean xl = tensors.names().stream().anyMatch(name -> name.startsWith(XL_TEXT));
        if (sd1 && xl) {
            throw twoModels(file, new TreeSet<>(Set.of(SD1_TEXT + "*", XL_TEXT + "*")));
        }
        text(tensors, SD1_TEXT + "transformer.", SD1_TEXT + "model.")
                .ifPresent(part -> parts.put("text_encoder", part));
        text(tensors, XL_TEXT + "0.transformer.", "text_encoder.").ifPresent(part -> parts.put("text_encoder", part));
        text(tensors, XL_TEXT + "1.transformer.", "text_encoder_2.")
                .ifPresent(part -> parts.put("text_encoder_2", part));
        text(tensors, "", XL_TEXT + "1.model.").ifPresent(part -> parts.put("text_encoder_2", part));
        text(tensors, "", XL_TEXT + "0.model.").ifPresent(part -> parts.put("text_encoder_2", part)); // of the refiner
    }

    private static Optional<Part> text(StoredTensors tensors, String... prefixes) {
        for (String prefix : prefixes) {
            TensorView view = new TensorView(tensors, prefix);
            if (!prefix.isEmpty()) {
                if (OtherConfigs.modelBelow(view).has("embeddings.token_embedding.weight")) {
                    return Optional.of(new Part(view, Naming.DIFFUSERS));
                }
                if (view.has("token_embedding.weight")) {
                    return Optional.of(new Part(view, Naming.OPEN_CLIP));
                }
            }
        }
        return Optional.empty();
    }

    /** Families that are told and not run. */
    private static Set<FileKind> others(StoredTensors tensors) {
        Set<FileKind> others = new TreeSet<>();
        for (String name : tensors.names()) {
            if (LORA.matcher(name).matches()) {
                continue;
            }
            if (name.contains("joint_blocks.")) {
                others.add(FileKind.SD3);
            } else if (name.contains("double_blocks.") || name.startsWith("single_transformer_blocks.")) {
                others.add(FileKind.FLUX);
            } else if (name.contains("adaln_single.") || name.startsWith("t_block.")) {
                others.add(FileKind.PIXART);
            }
        }
        if (any(tensors, name -> name.startsWith("transformer_blocks.0.attn.add_k_proj")) && others.isEmpty()) {
            others.add(FileKind.SD3); // under diffusers' names
        }
        return others;
    }

    static FileKind kind(StoredTensors tensors, Map<String, Part> parts) {
        Set<FileKind> others = others(tensors);
        if (parts.containsKey("unet")) {
            return parts.size() > 1 ? FileKind.MODEL : FileKind.UNET;
        }
        if (any(
                tensors,
                name -> name.startsWith("lllite_unet")
                        || name.startsWith("lora_controlnet")
                        || name.contains("task_embedding"))) {
            return FileKind.OTHER_CONTROL;
        }
        if (any(tensors, name -> LORA.matcher(name).matches())) {
            return FileKind.LORA;
        }
        if (!others.isEmpty()) {
            return others.iterator().next();
        }
        if (any(
                tensors,
                name -> name.startsWith("control_model.")
                        || name.contains("controlnet_cond_embedding.")
                        || name.startsWith("input_hint_block."))) {
            return FileKind.CONTROLNET;
        }
        if (any(tensors, name -> name.startsWith("ip_adapter.") || name.startsWith("image_proj."))) {
            return FileKind.IP_ADAPTER;
        }
        if (any(tensors, name -> TAESD.matcher(name).matches())) {
            return FileKind.TAESD;
        }
        if (parts.containsKey("vae")) {
            return FileKind.VAE;
        }
        if (any(tensors, name -> UPSCALER.matcher(name).matches())) {
            return FileKind.UPSCALER;
        }
        if (any(tensors, name -> OTHER_UPSCALER.matcher(name).matches())) {
            return FileKind.OTHER_UPSCALER;
        }
        if (T2IAdapterFile.isOne(tensors)) {
            return FileKind.T2I_ADAPTER;
        }
        if (!parts.isEmpty()
                || any(
                        tensors,
                        name -> name.endsWith("embeddings.token_embedding.weight") || name.equals("shared.weight"))) {
            return FileKind.TEXT_ENCODER;
        }
        return isEmbedding(tensors) ? FileKind.EMBEDDING : FileKind.UNKNOWN;
    }

    private static boolean any(StoredTensors tensors, Predicate<String> test) {
        return tensors.names().stream().anyMatch(test);
    }

    private static boolean isEmbedding(StoredTensors tensors) {
        Set<String> names = tensors.names();
        return names.contains("emb_params")
                || (names.contains("clip_l") && names.contains("clip_g"))
                || (names.size() == 1
                        && WIDTHS.contains(width(tensors, names.iterator().next())));
    }

    private static int width(StoredTensors tensors, String name) {
        long[] shape = tensors.shape(name);
        return shape.length == 1 || shape.length == 2 ? (int) shape[shape.length - 1] : 0;
    }

    /** The kind of a UNet that is as those of Stable Diffusion are. */
    static Optional<Kind> kindOf(UNetStructure unet) {
        return switch (unet.textSize()) {
            case 768 -> Optional.of(Kind.SD1).filter(kind -> unet.addedSize() == 0);
            case 1024 -> Optional.of(Kind.SD2).filter(kind -> unet.addedSize() == 0);
            case 2048 -> Optional.of(Kind.SDXL).filter(kind -> unet.addedSize() > 0);
            case 1280 -> Optional.of(Kind.REFINER).filter(kind -> unet.addedSize() > 0);
            default -> Optional.empty();
        };
    }

    /** Which models a file that is none suits. */
    static String fits(FileKind kind, StoredTensors tensors, Map<String, Part> parts) {
        return switch (kind) {
            case EMBEDDING -> tensors.has("clip_g") ? ofKind(Kind.SDXL) : ofEmbedding(tensors);
            case LORA, CONTROLNET, IP_ADAPTER -> ofContext(tensors);
            case VAE -> ofVae(parts);
            case T2I_ADAPTER -> ofAdapter(tensors);
            default -> "";
        };
    }

    /** By the size of the squares of pixels that it sees, of one channel or three. */
    private static String ofAdapter(StoredTensors tensors) {
        for (String name : List.of("conv_in.weight", "body.0.in_conv.weight")) {
            for (String stored : List.of("adapter." + name, name)) {
                if (tensors.has(stored)) {
                    return switch ((int) tensors.shape(stored)[1]) {
                        case 64, 192 -> ofKind(Kind.SD1);
                        case 256, 768 -> ofKind(Kind.SDXL);
                        default -> "";
                    };
                }
            }
        }
        return "";
    }

    private static String ofEmbedding(StoredTensors tensors) {
        return switch (width(tensors, tensors.names().iterator().next())) {
            case 768 -> ofKind(Kind.SD1);
            case 1024 -> ofKind(Kind.SD2);
            case 1280 -> "the second text encoder of Stable Diffusion XL";
            default -> "";
        };
    }

    private static String ofVae(Map<String, Part> parts) {
        Part vae = parts.get("vae");
        int latents = vae == null ? 0 : vae.view().size("decoder.conv_in.weight", 1);
        return switch (latents) {
            case 4 -> "Stable Diffusion 1, 2 or XL (its tensors do not tell which)";
            case 16 -> "Stable Diffusion 3 or Flux";
            default -> latents + " latent channels";
        };
    }

    /** By the size of the texts that cross-attention sees. */
    private static String ofContext(StoredTensors tensors) {
        for (String name : tensors.names()) {
            boolean looksAtText = name.contains("attn2_to_k")
                    || name.contains("attn2.to_k")
                    || name.contains("attn2.processor.to_k")
                    || name.startsWith("ip_adapter.");
            boolean takesText = name.endsWith("lora_down.weight")
                    || name.contains("lora_A")
                    || name.endsWith("lora.down.weight")
                    || name.endsWith("hada_w1_b")
                    || name.endsWith("to_k.weight")
                    || name.endsWith("to_k_ip.weight");
            if (looksAtText && takesText) {
                long[] shape = tensors.shape(name);
                return shape.length < 2
                        ? ""
                        : switch ((int) shape[1]) {
                            case 768 -> ofKind(Kind.SD1);
                            case 1024 -> ofKind(Kind.SD2);
                            case 2048 -> ofKind(Kind.SDXL);
                            case 1280 -> ofKind(Kind.REFINER);
                            default -> "";
                        };
            }
        }
        return any(tensors, name -> name.contains("double_blocks") || name.contains("single_transformer_blocks"))
                ? "Flux"
                : any(tensors, name -> name.contains("joint_blocks")) ? "Stable Diffusion 3" : "";
    }

    private static String ofKind(Kind kind) {
        return switch (kind) {
            case SD1 -> BaseModel.SD15.title();
            case SD2 -> "Stable Diffusion 2.x";
            case SDXL -> BaseModel.SDXL.title();
            case REFINER -> BaseModel.SDXL_REFINER.title();
        };
    }
}
