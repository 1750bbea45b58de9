package io.tome4j.cli;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which model, and how to run it. */
final class ModelOptions {
    @Option(
            names = "--model",
            paramLabel = "FOLDER|ID",
            defaultValue = "",
            description = "A folder as diffusers' save_pretrained writes it, or a model's id on the Hugging Face hub.")
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

    /** What was asked for. The one place where a default model would come in. */
    String modelOrDefault(CommandLine commandLine) {
        if (model.isEmpty()) {
            throw new ParameterException(
                    commandLine,
                    "Say with --model which model to use: a folder that diffusers' save_pretrained wrote, or an id on"
                            + " the Hugging Face hub, such as --model stable-diffusion-v1-5/stable-diffusion-v1-5 (about"
                            + " 4 GB, downloaded once)");
        }
        return model;
    }
}
