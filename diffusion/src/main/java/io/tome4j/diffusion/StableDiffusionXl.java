package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.CheckpointKind;
import io.tome4j.checkpoint.Config;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.SchedulerSettings;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Stable Diffusion XL (arXiv 2307.01952): base models, and refiners, which have the second text encoder alone. */
final class StableDiffusionXl implements ModelFamily {
    /** With both text encoders. */
    static final StableDiffusionXl BASE = new StableDiffusionXl(true);

    /** With the second text encoder alone. */
    static final StableDiffusionXl REFINER = new StableDiffusionXl(false);

    private static final String FIRST = "text_encoder";
    private static final String SECOND = "text_encoder_2";
    private static final String ZEROS = "force_zeros_for_empty_prompt";

    private final boolean hasFirst;
    private final CheckpointKind kind;

    private StableDiffusionXl(boolean hasFirst) {
        this.hasFirst = hasFirst;
        this.kind = kind(hasFirst);
    }

    private static CheckpointKind kind(boolean hasFirst) {
        Set<String> tokenizer = Set.of("CLIPTokenizer", "CLIPTokenizerFast");
        Map<String, Set<String>> parts = new HashMap<>(Map.of(
                "scheduler", Set.of(), // if it is not built in, another may be chosen
                "text_encoder_2", Set.of("CLIPTextModelWithProjection"),
                "tokenizer_2", tokenizer,
                "unet", Set.of("UNet2DConditionModel"),
                "vae", Set.of("AutoencoderKL", Autoencoder.TINY)));
        List<String> configs = new ArrayList<>(List.of(
                "scheduler/scheduler_config.json",
                "text_encoder_2/config.json",
                "unet/config.json",
                "vae/config.json"));
        List<String> tokenizers = new ArrayList<>(List.of("tokenizer_2"));
        List<String> weights = new ArrayList<>(List.of("text_encoder_2", "unet", "vae"));
        if (hasFirst) {
            parts.put("text_encoder", Set.of("CLIPTextModel"));
            parts.put("tokenizer", tokenizer);
            configs.add("text_encoder/config.json");
            tokenizers.add("tokenizer");
            weights.add("text_encoder");
        }
        return new CheckpointKind(
                hasFirst ? "Stable Diffusion XL" : "Stable Diffusion XL refiner",
                List.of(hasFirst ? "StableDiffusionXLPipeline" : "StableDiffusionXLImg2ImgPipeline"),
                parts,
                configs,
                tokenizers,
                weights,
                StableDiffusionXl::requireUsable);
    }

    @Override
    public CheckpointKind kind() {
        return kind;
    }

    /** What the configs tell before there are weights: they are gigabytes. */
    private static void requireUsable(Path folder) {
        Checkpoint checkpoint = CheckpointFolder.open(folder);
        if (checkpoint.has("unet")) {
            UNetConfig unet = UNetConfig.of(checkpoint.component("unet").config());
            if (unet.textTime().isEmpty()) {
                StableDiffusion.requireToFit(
                        checkpoint, "its UNet has no 'addition_embed_type', so that it is none of Stable Diffusion XL");
            }
            StableDiffusion.requireVaeToFit(checkpoint, unet);
        }
        if (checkpoint.has("scheduler")) {
            Schedulers.requireUsable(checkpoint.component("scheduler").config());
        }
    }

    @Override
    public Stages load(Checkpoint checkpoint, String modelName, Placement placement, PipelineOptions options) {
        Config schedulerConfig = checkpoint.component("scheduler").config();
        String schedulerClass = checkpoint.modelIndex().components().getOrDefault("scheduler", "");
        kind.weights().forEach(checkpoint::component);
        Adapters adapters = new Adapters();
        Deque<AutoCloseable> loaded = new ArrayDeque<>();
        try {
            Optional<Weights> firstWeights =
                    hasFirst ? Optional.of(textWeights(checkpoint, FIRST, adapters, placement)) : Optional.empty();
            Weights secondWeights = textWeights(checkpoint, SECOND, adapters, placement);
            Weights unetWeights = adapters.open(
                    "unet",
                    StableDiffusion.tensors(checkpoint, "unet"),
                    StableDiffusion.ldmNames(checkpoint),
                    placement);
            adapters.addWhileLoading(options.loras());
            Optional<TextEncoder> first =
                    firstWeights.map(weights -> textEncoder(checkpoint, FIRST, weights, options, loaded));
            TextEncoder second = textEncoder(checkpoint, SECOND, secondWeights, options, loaded);
            UNet2DConditionModel unet = UNet2DConditionModel.of(
                    unetWeights, StableDiffusion.config(checkpoint, "unet"), options.attention());
            loaded.push(unet);
            Autoencoder vae = Autoencoder.of(
                    Weights.of(StableDiffusion.tensors(checkpoint, "vae"), placement),
                    StableDiffusion.config(checkpoint, "vae"));
            loaded.push(vae);
            SdxlFit fit = new SdxlFit(first, second, unet, vae);
            StableDiffusion.requireToFit(checkpoint, fit.misfit());
            boolean zeros = checkpoint.modelIndex().flag(ZEROS, hasFirst);
            return new Stages(
                    modelName,
                    options,
                    placement,
                    new SdxlPrompts(first, second, zeros, fit.timeIds(), false),
                    new UNetDenoiser(unet),
                    unet::close,
                    new ImageDecoder(vae),
                    FamilyDefaults.SDXL,
                    adapters,
                    (name, settings) -> scheduler(name, schedulerClass, schedulerConfig, settings),
                    Optional.empty(),
                    Optional.empty());
        } catch (RuntimeException e) {
            loaded.forEach(part -> StableDiffusion.close(part, e));
            throw e;
        }
    }

    private static Weights textWeights(Checkpoint checkpoint, String name, Adapters adapters, Placement placement) {
        return adapters.open(name, StableDiffusion.tensors(checkpoint, name), Map.of(), placement);
    }

    private static TextEncoder textEncoder(
            Checkpoint checkpoint, String name, Weights weights, PipelineOptions options, Deque<AutoCloseable> loaded) {
        ClipTokenizer tokenizer = ClipTokenizer.of(checkpoint.component(name.replace("text_encoder", "tokenizer")));
        loaded.push(tokenizer);
        Config config = StableDiffusion.config(checkpoint, name);
        ClipTextModel model = name.equals(SECOND)
                ? ClipTextModel.withProjection(weights, config, options.attention())
                : ClipTextModel.of(weights, config, options.attention());
        loaded.push(model);
        if (model.layers() < 1) {
            throw new TomeException("The text encoder " + name + " of " + checkpoint.path() + " has no layers.");
        }
        return new TextEncoder(tokenizer, model);
    }

    /** What the file says, without the repairs that old checkpoints of Stable Diffusion 1.x need. */
    private static Scheduler scheduler(String name, String className, Config config, SchedulerSettings settings) {
        return name.equals(Request.CHECKPOINTS_OWN)
                ? Schedulers.ofClass(className, config, settings)
                : Schedulers.named(name, config, settings);
    }
}
