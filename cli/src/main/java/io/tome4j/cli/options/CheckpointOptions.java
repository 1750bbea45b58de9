package io.tome4j.cli.options;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.models.singlefile.BaseModel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import picocli.CommandLine.Option;

/** Which of a checkpoint's files to load, and where and in what to compute. In help they come after {@code --model}. */
public class CheckpointOptions {
    /** The place in help of what comes after these options; what comes before has none. */
    protected static final int AFTER = 2;

    private static final int HERE = 1;

    @Option(
            names = "--revision",
            order = HERE,
            paramLabel = "NAME",
            defaultValue = "",
            description = "Branch, tag or commit of a model on the hub.")
    private String revision = "";

    @Option(
            names = "--variant",
            order = HERE,
            paramLabel = "NAME",
            defaultValue = "",
            description = "Which set of weight files, such as fp16.")
    private String variant = "";

    @Option(
            names = "--base",
            order = HERE,
            paramLabel = "NAME",
            defaultValue = "",
            description =
                    "What a model in a single file was trained from, where its tensors do not tell it or tell it wrong:"
                            + " sd15, sd21-base, sd21, sdxl, sdxl-refiner, sdxl-turbo or sdxl-lightning.")
    private String base = "";

    @Option(
            names = "--config",
            order = HERE,
            paramLabel = "FOLDER|ID",
            defaultValue = "",
            description =
                    "A model whose configs a single file of unusual shape has, and which gives the parts that the file"
                            + " lacks.")
    private String config = "";

    @Option(
            names = "--device",
            order = HERE,
            paramLabel = "auto|cpu|cuda",
            defaultValue = "auto",
            description = "Where to compute (default: CUDA if there is any).")
    private DeviceChoice device = DeviceChoice.AUTO;

    @Option(
            names = "--dtype",
            order = HERE,
            paramLabel = "auto|fp32|bf16|fp16",
            defaultValue = "auto",
            description = "What to compute in (default: bf16 on a CPU that has it, else fp32; fp16 on CUDA).")
    private DTypeChoice dtype = DTypeChoice.AUTO;

    /** Which of a model's files, and what a single file does not tell. */
    protected final PipelineOptions checkpoint() {
        PipelineOptions options =
                PipelineOptions.DEFAULT.revision(revision).variant(variant).config(config);
        return base.isEmpty() ? options : options.base(BaseModel.of(base));
    }

    /** Branch, tag or commit; empty for the main one. */
    protected final String revision() {
        return revision;
    }

    /** Which set of weight files; empty for the plain one. */
    protected final String variant() {
        return variant;
    }

    /** Where to compute. */
    protected final DeviceChoice device() {
        return device;
    }

    /** What to compute in. */
    protected final DTypeChoice dtype() {
        return dtype;
    }
}
