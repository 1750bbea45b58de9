package io.tome4j.diffusion;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.tensor.Placement;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds a checkpoint, and has its family load it. */
final class PipelineLoader {
    private static final String FILE_END = ".safetensors";

    private PipelineLoader() {}

    static Stages load(String model, PipelineOptions options, DownloadListener listener) {
        // First the placement: an impossible one should be said before gigabytes are downloaded.
        Placement placement = Placement.choose(options.device(), options.dtype());
        Checkpoint checkpoint = Checkpoints.open(model, options, listener);
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
