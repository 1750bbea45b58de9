package io.tome4j.cli.bench;

import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.cli.options.CheckpointOptions;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.evaluation.bench.BenchModel;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which UNet to measure, and where. */
final class BenchModelOptions extends CheckpointOptions {
    /** Where weights come from. */
    private enum WeightsChoice {
        RANDOM,
        CHECKPOINT
    }

    private static final class WeightsConverter extends LowerCase<WeightsChoice> {
        WeightsConverter() {
            super(WeightsChoice.class);
        }
    }

    @Option(
            names = "--model",
            paramLabel = "sd15|sdxl|FOLDER|FILE|ID",
            defaultValue = BenchModel.SD15,
            description =
                    "sd15 (default) or sdxl: the architecture of Stable Diffusion 1.5 or XL at its full size, without a download. Or a"
                            + " folder as diffusers' save_pretrained writes it, a single .safetensors file, or a model's id"
                            + " on the Hugging Face hub.")
    private String model = BenchModel.SD15;

    @Option(
            names = "--weights",
            paramLabel = "random|checkpoint",
            converter = WeightsConverter.class,
            description =
                    "Random weights of the model's shape, or its own (default: random for sd15 and sdxl, else its own)."
                            + " The speed does not depend on them.")
    private Optional<WeightsChoice> weights = Optional.empty();

    private boolean isArchitecture() {
        return BenchModel.isArchitecture(model);
    }

    /** @throws OptionException if two options do not go together */
    void check() {
        if (isArchitecture() && weights.equals(Optional.of(WeightsChoice.CHECKPOINT))) {
            throw new OptionException("--weights is checkpoint, and " + model
                    + " is an architecture without one: name a checkpoint with --model,"
                    + " such as stable-diffusion-v1-5/stable-diffusion-v1-5");
        }
        String ofCheckpoints = optionsOfCheckpoints();
        if (isArchitecture() && !ofCheckpoints.isEmpty()) {
            throw new OptionException(
                    ofCheckpoints + " for checkpoints, and --model is " + OptionException.literal(model));
        }
    }

    /** Those given that mean nothing to an architecture, as the beginning of a sentence; empty if none is. */
    private String optionsOfCheckpoints() {
        if (!revision().isEmpty() || !variant().isEmpty()) {
            return "--revision and --variant are";
        } else if (!checkpoint().config().isEmpty()) {
            return "--config is";
        }
        return checkpoint().base().isPresent() ? "--base is" : "";
    }

    /**
     * Where to compute, and in what.
     *
     * @throws io.tome4j.tensor.TomeException if CUDA is asked for and not available
     */
    Placement placement() {
        return Placement.choose(device(), dtype());
    }

    /** A folder or file is called by its own name. */
    String name() {
        Path path = Path.of(model);
        return Files.exists(path)
                ? String.valueOf(path.toAbsolutePath().normalize().getFileName())
                : model;
    }

    boolean isRandom() {
        return isArchitecture() || weights.equals(Optional.of(WeightsChoice.RANDOM));
    }

    BenchModel load(Placement placement, DownloadListener listener) {
        return isArchitecture()
                ? BenchModel.ofArchitecture(model, placement)
                : BenchModel.fromPretrained(model, isRandom(), checkpoint(), listener, placement);
    }
}
