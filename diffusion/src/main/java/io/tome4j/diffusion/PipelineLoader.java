package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds a checkpoint, and has its family load it. */
final class PipelineLoader {
    private PipelineLoader() {}

    static Stages load(String model, PipelineOptions options, DownloadListener listener) {
        // First the placement: an impossible one should be said before gigabytes are downloaded.
        Placement placement = Placement.choose(options.device(), options.dtype());
        Checkpoint checkpoint = resolve(model, options.revision(), options, listener);
        if (options.refiner().isEmpty()) {
            return load(checkpoint, model, placement, options);
        }
        Checkpoint refiner = resolve(options.refiner(), "", options, listener);
        Stages stages = load(checkpoint, model, placement, options);
        try {
            return withRefiner(stages, load(refiner, options.refiner(), placement, options));
        } catch (RuntimeException e) {
            stages.close();
            throw e;
        }
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

    private static Checkpoint resolve(
            String model, String revision, PipelineOptions options, DownloadListener listener) {
        return CheckpointSource.resolve(
                model,
                ModelFamily.kinds(),
                new FetchOptions(revision, options.variant()),
                HubSettings.fromEnvironment(),
                listener);
    }

    /** A model of the hub is called by its id, a folder by its own name. */
    private static String name(String model, Checkpoint checkpoint) {
        Path folder = Path.of(model);
        return Files.isDirectory(folder)
                ? String.valueOf(checkpoint.path().toAbsolutePath().normalize().getFileName())
                : model;
    }
}
