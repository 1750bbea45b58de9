package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointKind;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.models.singlefile.FileContents;
import io.tome4j.models.singlefile.SingleFile;
import io.tome4j.models.singlefile.SingleFileOptions;
import io.tome4j.models.singlefile.VaeFile;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Opens the checkpoint that a user means (a folder, a single file or a model on the hub), with the parts that they replace. */
public final class Checkpoints {
    private Checkpoints() {}

    /**
     * Opens a checkpoint; one from the hub is downloaded into the cache, if it is not there.
     *
     * @param model a folder or a safetensors file that exists, or else a model's id on the hub
     * @throws io.tome4j.tensor.TomeException if there is none, or none that can be used
     * @throws OptionException if an option has no meaning for it
     */
    public static Checkpoint open(String model, PipelineOptions options, DownloadListener listener) {
        Checkpoint checkpoint =
                isFile(model) ? singleFile(Path.of(model), options, listener) : other(model, options, listener);
        if (options.vae().isPresent()) {
            Checkpoint whole = checkpoint;
            checkpoint = checkpoint.with(VaeFile.open(options.vae().get(), () -> scaling(whole)));
        }
        if (!options.predictionType().isEmpty()) {
            checkpoint = checkpoint.with(
                    checkpoint.component("scheduler").with("prediction_type", options.predictionType()));
        }
        return checkpoint;
    }

    /**
     * Opens the VAE that decodes previews of a checkpoint's latents.
     *
     * @throws TomeException as for the checkpoint's VAE, about the option by which this one is named
     */
    static Checkpoint.Component previewVae(Checkpoint whole, Path path) {
        try {
            return VaeFile.open(path, () -> scaling(whole));
        } catch (TomeException e) {
            throw e.option().equals("vae") ? TomeException.about("preview_vae", String.valueOf(e.getMessage())) : e;
        }
    }

    /** What says how the UNet's latents are scaled: the config of the VAE that it was trained with. */
    private static Config scaling(Checkpoint whole) {
        if (whole instanceof SingleFile file && !file.has("vae")) {
            return scaling(file.latentScale(), file.path());
        }
        Config own = whole.component("vae").config();
        boolean xl = whole.component("unet").config().has("addition_embed_type");
        return own.text("_class_name", "").equals(Autoencoder.TINY)
                ? scaling(xl ? 0.13025 : 0.18215, whole.path()) // its own latents are those that the UNet sees
                : own;
    }

    private static Config scaling(double factor, Path path) {
        return Config.parse("{\"scaling_factor\": " + factor + "}", path.toString());
    }

    private static boolean isFile(String model) {
        try {
            return Files.exists(Path.of(model)) && !Files.isDirectory(Path.of(model));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static Checkpoint other(String model, PipelineOptions options, DownloadListener listener) {
        String option = !options.config().isEmpty()
                ? "config"
                : options.base().isPresent() ? "base" : options.ema() ? "ema" : "";
        if (!option.isEmpty()) {
            throw new OptionException("{" + option + "} says what a model in a single file is, and '"
                    + OptionException.literal(model) + "' is none: a folder says that itself");
        }
        return CheckpointSource.resolve(
                model,
                ModelFamily.kinds(),
                new FetchOptions(options.revision(), options.variant()),
                HubSettings.fromEnvironment(),
                listener);
    }

    private static Checkpoint singleFile(Path file, PipelineOptions options, DownloadListener listener) {
        String option =
                !options.revision().isEmpty() ? "revision" : !options.variant().isEmpty() ? "variant" : "";
        if (!option.isEmpty() && options.config().isEmpty()) {
            throw new OptionException("{" + option + "} says which files of a model to take, and "
                    + OptionException.literal(file.toString()) + " is one file");
        }
        Optional<Checkpoint> config = options.config().isEmpty()
                ? Optional.empty()
                : Optional.of(CheckpointSource.resolve(
                        options.config(),
                        kindsWithout(FileContents.of(file).components()),
                        new FetchOptions(options.revision(), options.variant()),
                        HubSettings.fromEnvironment(),
                        listener));
        return SingleFile.open(file, new SingleFileOptions(options.base(), config, options.ema()), listener::notice);
    }

    /** What is supported, but without the weights of parts that are there already: they are not to be downloaded. */
    private static List<CheckpointKind> kindsWithout(List<String> parts) {
        return ModelFamily.kinds().stream()
                .map(kind -> kind.withoutWeightsOf(parts))
                .toList();
    }
}
