package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.CheckpointKind;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ModuleNames;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.SchedulerSettings;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.models.unet.UNetNames;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Stable Diffusion 1.x and 2.x. */
final class StableDiffusion implements ModelFamily {
    private static final String INPAINTING = "StableDiffusionInpaintPipeline";

    private static final CheckpointKind KIND = new CheckpointKind(
            "Stable Diffusion 1.x and 2.x",
            List.of(
                    "StableDiffusionPipeline",
                    INPAINTING,
                    "StableDiffusionImg2ImgPipeline",
                    "LatentConsistencyModelPipeline"),
            Map.of(
                    "scheduler", Set.of(), // if it is not built in, another may be chosen
                    "text_encoder", Set.of("CLIPTextModel"),
                    "tokenizer", Set.of("CLIPTokenizer", "CLIPTokenizerFast"),
                    "unet", Set.of("UNet2DConditionModel"),
                    "vae", Set.of("AutoencoderKL", Autoencoder.TINY)),
            List.of(
                    "scheduler/scheduler_config.json",
                    "text_encoder/config.json",
                    "unet/config.json",
                    "vae/config.json"),
            List.of("tokenizer"),
            List.of("text_encoder", "unet", "vae"),
            StableDiffusion::requireUsable);

    @Override
    public CheckpointKind kind() {
        return KIND;
    }

    /** What the configs tell before there are weights: they are gigabytes. */
    private static void requireUsable(Path folder) {
        Checkpoint checkpoint = CheckpointFolder.open(folder);
        if (checkpoint.has("unet")) {
            UNetConfig unet = UNetConfig.of(checkpoint.component("unet").config());
            requireVaeToFit(checkpoint, unet);
        }
        if (checkpoint.has("scheduler")) {
            Schedulers.requireUsable(checkpoint.component("scheduler").config());
        }
    }

    static void requireVaeToFit(Checkpoint checkpoint, UNetConfig unet) {
        if (!checkpoint.has("vae")) {
            return;
        }
        Config vae = checkpoint.component("vae").config();
        String named = checkpoint.modelIndex().components().getOrDefault("vae", "");
        String own = vae.text("_class_name", named);
        if (!named.isEmpty() && !named.equals(own)) {
            requireToFit(
                    checkpoint,
                    "model_index.json names a " + named + " as its vae, and vae/config.json is that of a " + own);
        }
        requireToFit(checkpoint, channelsMisfit(vae.integer("latent_channels", 4), unet.inChannels()));
    }

    @Override
    public Stages load(Checkpoint checkpoint, String modelName, Placement placement, PipelineOptions options) {
        Config schedulerConfig = checkpoint.component("scheduler").config();
        String schedulerClass = checkpoint.modelIndex().components().getOrDefault("scheduler", "");
        for (String component : new String[] {"tokenizer", "text_encoder", "unet", "vae"}) {
            checkpoint.component(component);
        }
        Adapters adapters = new Adapters();
        Deque<AutoCloseable> loaded = new ArrayDeque<>();
        try {
            Weights textWeights =
                    adapters.open("text_encoder", tensors(checkpoint, "text_encoder"), Map.of(), placement);
            Weights unetWeights = adapters.open("unet", tensors(checkpoint, "unet"), ldmNames(checkpoint), placement);
            adapters.addWhileLoading(options.loras());
            ClipTokenizer tokenizer = ClipTokenizer.of(checkpoint.component("tokenizer"));
            loaded.push(tokenizer);
            ClipTextModel textEncoder =
                    ClipTextModel.of(textWeights, config(checkpoint, "text_encoder"), options.attention());
            loaded.push(textEncoder);
            UNet2DConditionModel unet =
                    UNet2DConditionModel.of(unetWeights, config(checkpoint, "unet"), options.attention());
            loaded.push(unet);
            Autoencoder vae =
                    Autoencoder.of(Weights.of(tensors(checkpoint, "vae"), placement), config(checkpoint, "vae"));
            loaded.push(vae);
            requireToFit(checkpoint, tokenizer, textEncoder, unet, vae);
            return new Stages(
                    modelName,
                    options,
                    placement,
                    new StableDiffusionPrompts(new TextEncoder(tokenizer, textEncoder)),
                    new UNetDenoiser(unet),
                    unet::close,
                    new ImageDecoder(vae),
                    FamilyDefaults.STABLE_DIFFUSION,
                    adapters,
                    (name, settings) -> scheduler(
                            name, schedulerClass, repaired(checkpoint, schedulerClass, schedulerConfig), settings),
                    Optional.empty(),
                    Optional.empty());
        } catch (RuntimeException e) {
            loaded.forEach(part -> close(part, e));
            throw e;
        }
    }

    static Config config(Checkpoint checkpoint, String component) {
        return checkpoint.component(component).config();
    }

    static StoredTensors tensors(Checkpoint checkpoint, String component) {
        return checkpoint.component(component).weights();
    }

    /** What LoRAs may call the UNet's modules besides. */
    static Map<String, String> ldmNames(Checkpoint checkpoint) {
        return UNetNames.of(UNetConfig.of(config(checkpoint, "unet"))).all().stream()
                .collect(Collectors.toMap(ModuleNames.Module::diffusers, ModuleNames.Module::ldm));
    }

    static void close(AutoCloseable part, RuntimeException reason) {
        try {
            part.close();
        } catch (Exception e) {
            reason.addSuppressed(e);
        }
    }

    private static void requireToFit(
            Checkpoint checkpoint,
            ClipTokenizer tokenizer,
            ClipTextModel textEncoder,
            UNet2DConditionModel unet,
            Autoencoder vae) {
        String what = "";
        if (textEncoder.hiddenSize() != unet.crossAttentionDim()) {
            what = "the text encoder gives embeddings of size " + textEncoder.hiddenSize()
                    + ", and the UNet's 'cross_attention_dim' is " + unet.crossAttentionDim();
        } else if (!channelsMisfit(vae.latentChannels(), unet.inChannels()).isEmpty()) {
            what = channelsMisfit(vae.latentChannels(), unet.inChannels());
        } else if (unet.outChannels() != vae.latentChannels()) {
            what = "the UNet's 'in_channels' is " + unet.inChannels() + ", and its 'out_channels' is "
                    + unet.outChannels();
        } else if (vae.scale() != Request.PIXELS_PER_LATENT) {
            what = "the VAE has " + vae.scale() + " pixels a latent where Stable Diffusion has 8";
        } else if (tokenizer.maxLength() > textEncoder.maxPositionEmbeddings()) {
            what = "the tokenizer gives " + tokenizer.maxLength() + " tokens, and the text encoder takes "
                    + textEncoder.maxPositionEmbeddings();
        }
        for (var marker : tokenizer.markerIds().entrySet()) {
            if (marker.getValue() >= textEncoder.vocabSize()) {
                what = "the tokenizer's marker '" + marker.getKey() + "' has the id " + marker.getValue()
                        + ", and the text encoder's 'vocab_size' is " + textEncoder.vocabSize();
            }
        }
        requireToFit(checkpoint, what);
    }

    static String channelsMisfit(int latentChannels, int inChannels) {
        return inChannels == latentChannels || inChannels == 2 * latentChannels + 1
                ? ""
                : "the VAE has " + latentChannels + " latent channels, and the UNet's 'in_channels' is " + inChannels
                        + " (for inpainting it would be " + (2 * latentChannels + 1)
                        + "; models that take in other images are not supported)";
    }

    static void requireToFit(Checkpoint checkpoint, String what) {
        if (!what.isEmpty()) {
            throw new TomeException("The parts of " + checkpoint.path() + " do not fit together: " + what + ".");
        }
    }

    /** Diffusers' pipeline for inpainting repairs one setting more. */
    private static Config repaired(Checkpoint checkpoint, String className, Config config) {
        boolean inpainting = checkpoint.modelIndex().pipelineClass().equals(INPAINTING);
        return inpainting && (className.equals("PNDMScheduler") || config.has("skip_prk_steps"))
                ? config.with("skip_prk_steps", true)
                : config;
    }

    /**
     * As diffusers' pipeline does, whatever the file says: its class is the one that {@code model_index.json} names,
     * timesteps are offset by one, and the predicted image is not clipped. Old checkpoints rely on it. Another scheduler
     * takes over only what the file itself says.
     */
    private static Scheduler scheduler(String name, String className, Config config, SchedulerSettings settings) {
        if (name.equals(Request.CHECKPOINTS_OWN)) {
            return Schedulers.ofClass(className, config.with("steps_offset", 1).with("clip_sample", false), settings);
        }
        Config said = config.has("steps_offset") ? config.with("steps_offset", 1) : config;
        return Schedulers.named(name, said.has("clip_sample") ? said.with("clip_sample", false) : said, settings);
    }
}
