package io.tome4j.diffusion;

import io.tome4j.checkpoint.FileHash;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The single files that a pipeline was loaded from, as images name them: by the first ten digits of their SHA-256, as A1111's
 * web UI does. Hashing gigabytes takes its time, so that it goes on beside the first run, and is done once for a file.
 */
final class UsedFiles {
    private static final int SHOWN = 10;

    private final CompletableFuture<String> modelHash;
    private final String vae;
    private final CompletableFuture<String> vaeHash;

    private UsedFiles(CompletableFuture<String> modelHash, String vae, CompletableFuture<String> vaeHash) {
        this.modelHash = modelHash;
        this.vae = vae;
        this.vaeHash = vaeHash;
    }

    /** Those of a model that was loaded; folders have no hash. */
    static UsedFiles of(String model, PipelineOptions options) {
        return new UsedFiles(
                hash(Optional.of(Path.of(model))),
                options.vae()
                        .map(path ->
                                String.valueOf(path.toAbsolutePath().normalize().getFileName()))
                        .orElse(""),
                hash(options.vae()));
    }

    private static CompletableFuture<String> hash(Optional<Path> path) {
        Optional<Path> file = path.filter(Files::isRegularFile);
        CompletableFuture<String> hash = new CompletableFuture<>();
        if (file.isEmpty()) {
            hash.complete("");
            return hash;
        }
        Thread thread = new Thread(() -> hash.complete(shortHash(file.get())), "tome4j-hash");
        thread.setDaemon(true);
        thread.start();
        return hash;
    }

    /** Empty if the file cannot be read any more: an image is not to fail for that. */
    private static String shortHash(Path file) {
        try {
            return FileHash.sha256(file, HubSettings.fromEnvironment().cache()).substring(0, SHOWN);
        } catch (IOException | TomeException e) {
            return "";
        }
    }

    /** Adds what they are, waiting for hashes where these are not there yet. */
    GenerationParameters addTo(GenerationParameters parameters) {
        return parameters.modelHash(modelHash.join()).vae(vae).vaeHash(vaeHash.join());
    }
}
