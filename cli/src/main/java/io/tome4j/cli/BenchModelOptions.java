package io.tome4j.cli;

import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.evaluation.bench.BenchModel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Placement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which UNet to measure, and where. */
final class BenchModelOptions {
    /** Where weights come from. */
    enum WeightsChoice {
        RANDOM,
        CHECKPOINT
    }

    @Option(
            names = "--model",
            paramLabel = "sd15|FOLDER|ID",
            defaultValue = BenchModel.SD15,
            description =
                    "sd15 (default): Stable Diffusion 1.5's architecture at its full size, without a download. Or a"
                            + " folder as diffusers' save_pretrained writes it, or a model's id on the Hugging Face hub.")
    String model = BenchModel.SD15;

    @Option(
            names = "--weights",
            paramLabel = "random|checkpoint",
            description = "Random weights of the model's shape, or its own (default: random for sd15, else its own)."
                    + " The speed does not depend on them.")
    Optional<WeightsChoice> weights = Optional.empty();

    @Option(
            names = "--revision",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Branch, tag or commit of a model on the hub.")
    String revision = "";

    @Option(
            names = "--variant",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Which set of weight files, such as fp16.")
    String variant = "";

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda",
            defaultValue = "auto",
            description = "Where to compute (default: CUDA if there is any).")
    DeviceChoice device = DeviceChoice.AUTO;

    @Option(
            names = "--dtype",
            paramLabel = "auto|fp32|bf16|fp16",
            defaultValue = "auto",
            description = "What to compute in (default: bf16 on a CPU that has it, else fp32; fp16 on CUDA).")
    DTypeChoice dtype = DTypeChoice.AUTO;

    private boolean isSd15() {
        return model.equals(BenchModel.SD15);
    }

    void check(CommandLine commandLine) {
        if (isSd15() && weights.equals(Optional.of(WeightsChoice.CHECKPOINT))) {
            throw new ParameterException(
                    commandLine,
                    "--weights is checkpoint, and sd15 is an architecture without one: name a checkpoint with --model,"
                            + " such as stable-diffusion-v1-5/stable-diffusion-v1-5");
        }
        if (isSd15() && !(revision.isEmpty() && variant.isEmpty())) {
            throw new ParameterException(
                    commandLine, "--revision and --variant are for checkpoints, and --model is " + model);
        }
    }

    /** A folder is called by its own name. */
    String name() {
        Path folder = Path.of(model);
        return Files.isDirectory(folder)
                ? String.valueOf(folder.toAbsolutePath().normalize().getFileName())
                : model;
    }

    boolean isRandom() {
        return isSd15() || weights.equals(Optional.of(WeightsChoice.RANDOM));
    }

    BenchModel load(Placement placement, DownloadListener listener) {
        return isSd15()
                ? BenchModel.sd15(placement)
                : BenchModel.fromPretrained(
                        model, isRandom(), new FetchOptions(revision, variant), listener, placement);
    }
}
