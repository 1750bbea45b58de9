package io.tome4j.cli.options;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Upscaler;
import io.tome4j.diffusion.UpscalerFolder;
import io.tome4j.diffusion.VaeTiling;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.OptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model, and how to run it. */
public final class ModelOptions extends CheckpointOptions {
    @Option(
            names = "--model",
            paramLabel = "FOLDER|FILE|ID",
            defaultValue = "",
            description =
                    "A folder as diffusers' save_pretrained writes it, a single .safetensors file, or a model's id on"
                            + " the Hugging Face hub (default: the embedded model, which draws emoji).")
    String model = "";

    @Option(
            names = "--models-dir",
            order = AFTER,
            paramLabel = "FOLDER",
            description =
                    "Where --model and --refiner may be names of models, with their ending or without: a folder, or that of"
                            + " A1111's web UI.")
    private @Nullable Path modelsDir;

    @Option(
            names = "--vae",
            order = AFTER,
            paramLabel = "FILE|FOLDER",
            description = "A VAE to take in place of the model's own; a tiny one (TAESD), too.")
    private @Nullable Path vae;

    @Option(
            names = "--prediction-type",
            order = AFTER,
            paramLabel = "epsilon|v_prediction|sample",
            defaultValue = "",
            description = "What the model predicts, where its file does not tell it or tells it wrong.")
    private String predictionType = "";

    @Option(
            names = "--ema",
            order = AFTER,
            description = "Take the moving averages of the UNet's weights that a single file may hold beside them.")
    private boolean ema;

    @Option(
            names = "--refiner",
            order = AFTER,
            paramLabel = "FOLDER|FILE|ID",
            defaultValue = "",
            description = "A model that goes on where the first one stops (--refiner-start), such as SDXL's refiner.")
    private String refiner = "";

    @Option(
            names = "--attention",
            order = AFTER,
            paramLabel = "efficient|portable|naive",
            defaultValue = "efficient",
            description =
                    "A few rows of scores at a time (default), the same without tome4j's own kernels (for attention and"
                            + " for convolutions), or the whole score matrix at once, without them too.")
    private AttentionKernel attention = AttentionKernel.EFFICIENT;

    @Option(
            names = "--vae-tiling",
            order = AFTER,
            paramLabel = "auto|on|off",
            defaultValue = "auto",
            description =
                    "Decode images in tiles, which takes less memory and gives nearly the same image (default: only"
                            + " where there is no memory for the whole).")
    private VaeTiling vaeTiling = VaeTiling.AUTO;

    @Option(
            names = "--no-memory-check",
            order = AFTER,
            description = "Try even what is estimated not to fit into memory; the system may end the program for it.")
    private boolean noMemoryCheck;

    /**
     * The model that was asked for, or else the embedded one, which also goes by its name.
     *
     * @throws OptionException if an option makes no sense for it
     */
    public ChosenModel choose() {
        return choose(model);
    }

    /**
     * As {@link #choose()}, of another model with the same options.
     *
     * @param model a folder or an id on the hub; empty for the embedded model
     */
    public ChosenModel choose(String model) {
        EmbeddedModel embedded = EmbeddedModel.shipped();
        boolean isEmbedded = model.isEmpty() || (model.equals(embedded.name()) && !Files.isDirectory(Path.of(model)));
        PipelineOptions options = checkpoint()
                .device(device())
                .dtype(dtype())
                .attention(attention)
                .vaeTiling(vaeTiling)
                .memoryCheck(!noMemoryCheck)
                .refiner(refiner.isEmpty() ? "" : named(refiner))
                .predictionType(predictionType)
                .ema(ema);
        if (vae != null) {
            options = options.vae(vae);
        }
        if (!isEmbedded) {
            return new ChosenModel(named(model), Optional.empty(), options);
        }
        if (!revision().isEmpty() || !variant().isEmpty()) {
            throw new OptionException((revision().isEmpty() ? "--variant" : "--revision")
                    + " says which files of a model to take, and the embedded model has only one set: name another with"
                    + " --model, such as --model stable-diffusion-v1-5/stable-diffusion-v1-5 (about 4 GB, downloaded"
                    + " once)");
        }
        return new ChosenModel(embedded.name(), Optional.of(embedded), options);
    }

    /**
     * A request whose upscaler, if it has a second pass, is there: built in, a file, or one of a name in {@code --models-dir}.
     *
     * @throws OptionException if it is none of these
     * @throws io.tome4j.tensor.TomeException if the file is no upscaler that can be used
     */
    public Request withUpscaler(Request request) {
        String name = request.hiresUpscaler();
        Path folder = modelsDir;
        boolean byName = request.hires() > 1 && Upscaler.named(name).isEmpty() && !name.endsWith(".safetensors");
        Request resolved = byName && folder != null ? UpscalerFolder.of(folder).resolve(request) : request;
        Upscaler.require(resolved);
        return resolved;
    }

    private String named(String name) {
        return modelsDir == null ? name : ModelsFolder.of(modelsDir).resolve(name);
    }
}
