package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds a checkpoint, and has its family load it. */
final class PipelineLoader {
    private static final String FILE_END = ".safetensors";

    private PipelineLoader() {}

    static Stages load(String model, PipelineOptions options, DownloadListener listener) {
        // First the placement: an impossible one should be said before gigabytes are downloaded.
        Placement placement = options.placement();
        Checkpoint checkpoint = Checkpoints.open(model, options, listener);
        Optional<ImageDecoder> previews = previews(checkpoint, placement, options); // small, and may be refused
        Stages stages;
        try {
            stages = withRefiner(checkpoint, model, placement, options, listener);
        } catch (RuntimeException e) {
            previews.ifPresent(ImageDecoder::close);
            throw e;
        }
        return previews.map(stages::withPreviews).orElse(stages);
    }

    private static Stages withRefiner(
            Checkpoint checkpoint,
            String model,
            Placement placement,
            PipelineOptions options,
            DownloadListener listener) {
        if (options.refiner().isEmpty()) {
            return load(checkpoint, model, placement, options);
        }
        Checkpoint refiner = Checkpoints.open(options.refiner(), options.ofRefiner(), listener);
        Stages stages = load(checkpoint, model, placement, options);
        try {
            return withRefiner(stages, load(refiner, options.refiner(), placement, options.ofRefiner()));
        } catch (RuntimeException e) {
            stages.close();
            throw e;
        }
    }

    /** What decodes previews, if it is named. */
    private static Optional<ImageDecoder> previews(
            Checkpoint checkpoint, Placement placement, PipelineOptions options) {
        return options.previewVae().map(path -> {
            Checkpoint.Component found = Checkpoints.previewVae(checkpoint, path);
            Autoencoder vae = Autoencoder.of(Weights.of(found.weights(), placement), found.config());
            String misfit =
                    misfit(vae, StableDiffusion.config(checkpoint, "vae").integer("latent_channels", 4));
            if (!misfit.isEmpty()) {
                vae.close();
                throw TomeException.about("preview_vae", "The VAE in " + path + " has " + misfit + ".");
            }
            return new ImageDecoder(vae);
        });
    }

    private static String misfit(Autoencoder vae, int channels) {
        if (vae.scale() != Request.PIXELS_PER_LATENT) {
            return vae.scale() + " pixels a latent where Stable Diffusion has " + Request.PIXELS_PER_LATENT;
        }
        return vae.latentChannels() == channels
                ? ""
                : vae.latentChannels() + " latent channels, and the model's latents have " + channels;
    }

    private static Stages withRefiner(Stages stages, Stages refiner) {
        int channels = refiner.denoiser().latentChannels();
        if (channels != stages.denoiser().latentChannels()) {
            refiner.close();
            throw new TomeException("The refiner " + refiner.modelName() + " does not fit the model "
                    + stages.modelName() + ": its latents have " + channels + " channels instead of "
                    + stages.denoiser().latentChannels() + ".");
        }
        return stages.withRefiner(refiner);
    }

    private static Stages load(Checkpoint checkpoint, String model, Placement placement, PipelineOptions options) {
        return ModelFamily.of(checkpoint).load(checkpoint, name(model, checkpoint), placement, options);
    }

    /** A model of the hub is called by its id, a folder by its own name, a file by its name without its ending. */
    private static String name(String model, Checkpoint checkpoint) {
        if (!Files.exists(Path.of(model))) {
            return model;
        }
        String name =
                String.valueOf(checkpoint.path().toAbsolutePath().normalize().getFileName());
        return name.endsWith(FILE_END) ? name.substring(0, name.length() - FILE_END.length()) : name;
    }
}
