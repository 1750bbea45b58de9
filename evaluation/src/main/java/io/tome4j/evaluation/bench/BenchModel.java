package io.tome4j.evaluation.bench;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.RandomWeights;
import io.tome4j.checkpoint.SharedWeights;
import io.tome4j.diffusion.Checkpoints;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.Weights;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The UNet of a checkpoint, or one like it with random weights: once for each way to compute attention, over one set of
 * weights. Closing it frees them.
 */
public final class BenchModel implements AutoCloseable {
    /** The name of Stable Diffusion 1.5's architecture, which needs no checkpoint. */
    public static final String SD15 = "sd15";

    /** The name of Stable Diffusion XL's architecture, likewise. */
    public static final String SDXL = "sdxl";

    /** What SD 1.5's {@code unet/config.json} says beyond the defaults. */
    private static final String SD15_CONFIG =
            """
            {
              "attention_head_dim": 8,
              "block_out_channels": [320, 640, 1280, 1280],
              "cross_attention_dim": 768,
              "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
              "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
            }
            """;

    /** Likewise of SDXL's base model. */
    private static final String SDXL_CONFIG =
            """
            {
              "addition_embed_type": "text_time",
              "addition_time_embed_dim": 256,
              "attention_head_dim": [5, 10, 20],
              "block_out_channels": [320, 640, 1280],
              "cross_attention_dim": 2048,
              "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
              "projection_class_embeddings_input_dim": 2816,
              "sample_size": 128,
              "transformer_layers_per_block": [1, 2, 10],
              "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
              "use_linear_projection": true
            }
            """;

    private static final Map<String, String> CONFIGS = Map.of(SD15, SD15_CONFIG, SDXL, SDXL_CONFIG);
    private static final long SEED = 0;

    private final Placement placement;
    private final Config config;
    private final UNetConfig read;
    private final SharedWeights weights;
    private final Map<AttentionKernel, UNet2DConditionModel> unets = new EnumMap<>(AttentionKernel.class);

    private BenchModel(Placement placement, Config config, UNetConfig read, Weights.Source source) {
        this.placement = placement;
        this.config = config;
        this.read = read;
        this.weights = new SharedWeights(source, placement);
    }

    /** Whether a model is the name of an architecture: {@link #SD15} or {@link #SDXL}. */
    public static boolean isArchitecture(String model) {
        return CONFIGS.containsKey(model);
    }

    /**
     * An architecture's UNet at its full size, with random weights.
     *
     * @param name one that {@link #isArchitecture}
     */
    public static BenchModel ofArchitecture(String name, Placement placement) {
        String config = CONFIGS.get(name);
        if (config == null) {
            throw new IllegalArgumentException("No architecture is called " + name);
        }
        return random(Config.parse(config, name), placement);
    }

    /** Stable Diffusion 1.5's UNet at its full size, with random weights. */
    public static BenchModel sd15(Placement placement) {
        return ofArchitecture(SD15, placement);
    }

    /**
     * A UNet of any size, with random weights.
     *
     * @param config {@code unet/config.json}
     * @throws io.tome4j.tensor.TomeException if the config has a setting that is not supported
     */
    public static BenchModel random(Config config, Placement placement) {
        UNetConfig read = UNetConfig.of(config);
        return new BenchModel(placement, config, read, new RandomWeights(SEED));
    }

    /**
     * The UNet of a checkpoint.
     *
     * @param model a folder in the layout of diffusers, a single safetensors file, or a model's id on the hub
     * @param randomWeights whether to take only its architecture
     * @param options which of a checkpoint's files, and what a single file does not tell
     * @throws io.tome4j.tensor.TomeException if it cannot be had or loaded
     */
    public static BenchModel fromPretrained(
            String model,
            boolean randomWeights,
            PipelineOptions options,
            DownloadListener listener,
            Placement placement) {
        Checkpoint.Component unet = Checkpoints.open(model, options, listener).component("unet");
        if (randomWeights) {
            return random(unet.config(), placement);
        }
        Config config = unet.config();
        return new BenchModel(placement, config, UNetConfig.of(config), unet.weights());
    }

    Placement placement() {
        return placement;
    }

    UNetConfig config() {
        return read;
    }

    /** Makes the UNets that variants need, and lets go of what only the making needs. */
    void build(List<Variant> variants) {
        variants.forEach(variant -> unet(variant.attention()));
        weights.close();
    }

    /** The UNet with this attention; made when it is first asked for. */
    UNet2DConditionModel unet(AttentionKernel attention) {
        return unets.computeIfAbsent(
                attention, kernel -> UNet2DConditionModel.of(Weights.of(weights, placement), config, kernel));
    }

    @Override
    public void close() {
        unets.values().forEach(UNet2DConditionModel::close);
        unets.clear();
        weights.close();
    }
}
