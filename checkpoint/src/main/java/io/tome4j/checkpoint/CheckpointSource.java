package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** Finds the checkpoint that a user means: a folder, or a model on the Hugging Face hub. */
public final class CheckpointSource {
    private CheckpointSource() {}

    /**
     * Finds a checkpoint; one from the hub is downloaded into the cache, if it is not there.
     *
     * @param idOrPath a folder that exists, or else a model's id on the hub, {@code org/name}, {@code name} or
     *     {@code org/name@revision}
     * @param kinds what can be used, at least one
     * @throws TomeException if there is no such checkpoint, it is not one that can be used, or it cannot be downloaded
     */
    public static CheckpointFolder resolve(
            String idOrPath,
            List<CheckpointKind> kinds,
            FetchOptions options,
            HubSettings settings,
            DownloadListener listener) {
        Path path = path(idOrPath);
        if (Files.isDirectory(path)) {
            CheckpointFolder folder = CheckpointFolder.open(path, options.variant());
            CheckpointKind kind = CheckpointKind.of(folder.modelIndex(), kinds, idOrPath);
            kind.check().accept(path);
            tellOfMixture(folder, kind, listener);
            return folder;
        }
        if (Files.exists(path)) {
            throw new TomeException(idOrPath + " is a file, and tome4j reads checkpoints as folders. Convert it with"
                    + " Python: " + kinds.get(0).pipelines().get(0)
                    + ".from_single_file(file).save_pretrained(folder).");
        }
        Path fetched = fetch(idOrPath, options, settings, listener, WantedModel.pipeline(kinds));
        CheckpointFolder folder = CheckpointFolder.open(fetched, options.variant());
        tellOfMixture(folder, CheckpointKind.of(folder.modelIndex(), kinds, idOrPath), listener);
        return folder;
    }

    private static void tellOfMixture(CheckpointFolder folder, CheckpointKind kind, DownloadListener listener) {
        List<String> plain = kind.weights().stream()
                .filter(folder::has)
                .filter(part -> folder.component(part).isPlainInsteadOfVariant())
                .toList();
        if (!plain.isEmpty() && plain.size() < kind.weights().size()) {
            listener.warning("The variant '" + folder.variant() + "' has no weights of " + String.join(", ", plain)
                    + "; those without a variant are used there.");
        }
    }

    /**
     * Finds a model that transformers saves in one folder with its tokenizer, such as CLIP; one from the hub is downloaded
     * into the cache, if it is not there.
     *
     * @param idOrPath as for {@link #resolve(String, List, FetchOptions, HubSettings, DownloadListener)}
     * @param configs the names of the JSON files that it must have
     * @throws TomeException if there is no such model, or it cannot be downloaded
     */
    public static CheckpointFolder.Component resolveAlone(
            String idOrPath,
            List<String> configs,
            FetchOptions options,
            HubSettings settings,
            DownloadListener listener) {
        Path path = path(idOrPath);
        Path folder = Files.isDirectory(path)
                ? path
                : fetch(idOrPath, options, settings, listener, WantedModel.alone(configs));
        return CheckpointFolder.Component.alone(folder, options.variant());
    }

    /**
     * Finds a network that diffusers saves in a folder of its own, such as a ControlNet, as {@link #resolveAlone} does.
     *
     * @throws TomeException if there is no such network, or it cannot be downloaded
     */
    public static CheckpointFolder.Component resolveNetwork(
            String idOrPath, FetchOptions options, HubSettings settings, DownloadListener listener) {
        Path path = path(idOrPath);
        Path folder =
                Files.isDirectory(path) ? path : fetch(idOrPath, options, settings, listener, WantedModel.network());
        return CheckpointFolder.Component.alone(folder, options.variant());
    }

    private static Path fetch(
            String idOrPath,
            FetchOptions options,
            HubSettings settings,
            DownloadListener listener,
            WantedModel wanted) {
        int at = idOrPath.indexOf('@');
        String id = at < 0 ? idOrPath : idOrPath.substring(0, at);
        String revision = at < 0 ? "" : idOrPath.substring(at + 1);
        if (!Hub.isId(id) || (at >= 0 && revision.isEmpty())) {
            throw new TomeException("'" + idOrPath + "' is neither a folder nor a model's id on the hub (org/name or"
                    + " org/name@revision).");
        }
        if (!revision.isEmpty() && !options.revision().isEmpty() && !revision.equals(options.revision())) {
            throw TomeException.about(
                    "revision",
                    "Two revisions of " + id + " are asked for: '" + revision + "' and '" + options.revision() + "'.");
        }
        FetchOptions chosen = revision.isEmpty() ? options : options.revision(revision);
        return new Hub(settings, listener).fetch(id, chosen, wanted);
    }

    /** Whether a folder holds a checkpoint of one of these kinds; its other files may be missing still. */
    public static boolean isSupported(Path folder, List<CheckpointKind> kinds) {
        Path index = folder.resolve(ModelIndex.FILE);
        if (!Files.isRegularFile(index)) {
            return false;
        }
        try {
            ModelIndex found = ModelIndex.read(index);
            return kinds.stream().anyMatch(kind -> kind.includes(found));
        } catch (TomeException e) {
            return false;
        }
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TomeException("'" + text + "' is neither a folder nor a model's id on the hub.", e);
        }
    }
}
