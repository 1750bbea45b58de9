package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** Where networks lie that guide a model: a file, or a folder that diffusers saved, here or on the hub. */
final class NetworkFiles {
    private NetworkFiles() {}

    /**
     * The file of that path; empty if it is none.
     *
     * @throws TomeException if it can be neither a path nor an id on the hub, or is no safetensors file
     */
    static Optional<SafetensorsFile> alone(String place) {
        Path path = path(place);
        return Files.isRegularFile(path) ? Optional.of(SafetensorsFile.open(path)) : Optional.empty();
    }

    /** @throws TomeException if it cannot be one */
    static Path path(String place) {
        try {
            return Path.of(place);
        } catch (InvalidPathException e) {
            throw new TomeException("'" + place + "' is neither a folder, nor a file, nor a model's id on the hub.", e);
        }
    }

    /** @throws TomeException if there is no such folder, and no such network on the hub */
    static CheckpointFolder.Component folder(String place) {
        return CheckpointSource.resolveNetwork(
                place, new FetchOptions("", ""), HubSettings.fromEnvironment(), DownloadListener.SILENT);
    }
}
