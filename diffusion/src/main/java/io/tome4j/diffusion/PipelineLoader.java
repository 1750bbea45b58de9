package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.tensor.Placement;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds a checkpoint, and has its family load it. */
final class PipelineLoader {
    private PipelineLoader() {}

    static Stages load(String model, PipelineOptions options, DownloadListener listener) {
        // First the placement: an impossible one should be said before gigabytes are downloaded.
        Placement placement = Placement.choose(options.device(), options.dtype());
        Checkpoint checkpoint = CheckpointSource.resolve(
                model,
                ModelFamily.kinds(),
                new FetchOptions(options.revision(), options.variant()),
                HubSettings.fromEnvironment(),
                listener);
        return ModelFamily.of(checkpoint).load(checkpoint, name(model, checkpoint), placement, options);
    }

    /** A model of the hub is called by its id, a folder by its own name. */
    private static String name(String model, Checkpoint checkpoint) {
        Path folder = Path.of(model);
        return Files.isDirectory(folder)
                ? String.valueOf(checkpoint.path().toAbsolutePath().normalize().getFileName())
                : model;
    }
}
