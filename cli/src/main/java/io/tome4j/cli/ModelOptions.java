package io.tome4j.cli;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which model, and how to run it. */
final class ModelOptions {
    @Option(
            names = "--model",
            paramLabel = "FOLDER|ID",
            defaultValue = "",
            description = "A folder as diffusers' save_pretrained writes it, or a model's id on the Hugging Face hub"
                    + " (default: the embedded model, which draws emoji).")
    String model = "";

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

    @Option(
            names = "--attention",
            paramLabel = "efficient|naive",
            defaultValue = "efficient",
            description = "A few rows of scores at a time (default), or the whole score matrix at once.")
    AttentionKernel attention = AttentionKernel.EFFICIENT;

    @Option(
            names = "--no-memory-check",
            description = "Try even what is estimated not to fit into memory; the system may end the program for it.")
    boolean noMemoryCheck;

    PipelineOptions pipelineOptions() {
        return new PipelineOptions(device, dtype, attention, revision, variant, !noMemoryCheck);
    }

    /**
     * The model that was asked for, or else the embedded one, which also goes by its name.
     *
     * @throws ParameterException if an option makes no sense for it
     */
    ChosenModel choose(CommandLine commandLine) {
        EmbeddedModel embedded = EmbeddedModel.shipped();
        if (!model.isEmpty() && (!model.equals(embedded.name()) || Files.isDirectory(Path.of(model)))) {
            return new ChosenModel(model, Optional.empty());
        }
        if (!revision.isEmpty() || !variant.isEmpty()) {
            throw new ParameterException(
                    commandLine,
                    (revision.isEmpty() ? "--variant" : "--revision") + " says which files of a model to take, and the"
                            + " embedded model has only one set: name another with --model, such as --model"
                            + " stable-diffusion-v1-5/stable-diffusion-v1-5 (about 4 GB, downloaded once)");
        }
        return new ChosenModel(embedded.name(), Optional.of(embedded));
    }
}
