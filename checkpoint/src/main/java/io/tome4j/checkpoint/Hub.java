package io.tome4j.checkpoint;

import io.tome4j.checkpoint.HubClient.RemoteFile;
import io.tome4j.checkpoint.HubClient.Revision;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Brings a model from the Hugging Face hub into the cache, unless it is there: only the files that a Stable Diffusion
 * pipeline needs, in safetensors.
 */
final class Hub {
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
    private static final List<String> WITH_WEIGHTS = List.of("text_encoder", "unet", "vae");
    /** Without these there is no pipeline. */
    private static final List<String> CONFIGS = List.of(
            "scheduler/scheduler_config.json", "text_encoder/config.json", "unet/config.json", "vae/config.json");

    private static final List<String> VOCABULARY = List.of("tokenizer/vocab.json", "tokenizer/merges.txt");
    private static final String WHOLE_TOKENIZER =
            "tokenizer/tokenizer.json"; // in place of the vocabulary, or beside it
    private static final List<String> SMALL_FILES = Stream.of(
                    CONFIGS,
                    VOCABULARY,
                    List.of(
                            WHOLE_TOKENIZER,
                            "tokenizer/added_tokens.json",
                            "tokenizer/special_tokens_map.json",
                            "tokenizer/tokenizer_config.json"))
            .flatMap(List::stream)
            .toList();

    private final HubSettings settings;
    private final HubCache cache;
    private final HubClient client;
    private final DownloadListener listener;
    private final ToLongFunction<Path> usableSpace;

    Hub(HubSettings settings, DownloadListener listener) {
        this(settings, listener, folder -> folder.toFile().getUsableSpace());
    }

    /** @param usableSpace the bytes that can still be written to the disk of a folder */
    Hub(HubSettings settings, DownloadListener listener, ToLongFunction<Path> usableSpace) {
        this.settings = settings;
        this.cache = new HubCache(settings.cache());
        this.client = new HubClient(settings);
        this.listener = listener;
        this.usableSpace = usableSpace;
    }

    static boolean isId(String text) {
        String[] parts = text.split("/", -1);
        for (String part : parts) {
            if (!PART.matcher(part).matches() || part.contains("--") || part.contains("..")) {
                return false;
            }
        }
        return parts.length <= 2;
    }

    /**
     * A model's folder in the cache, with all files that are needed in it.
     *
     * <ol>
     *   <li>Offline, the cache has the last word; and a commit never changes, so that one that is complete needs no
     *       question.
     *   <li>The hub says which commit the revision is now. If it cannot be asked, the cache will do, with a warning.
     *   <li>What is missing is downloaded, the weights last: where they are, all else is.
     *   <li>Only then does the reference move: a download that breaks off leaves the model before it usable.
     * </ol>
     *
     * @throws TomeException if the hub does not give it, or the disk cannot take it
     */
    CheckpointFolder fetch(String id, FetchOptions options) {
        if (settings.offline()) {
            return cached(id, options, "The hub is not asked, because HF_HUB_OFFLINE is set");
        }
        if (HubCache.isCommit(options.revision())) {
            Optional<CheckpointFolder> complete = ifCached(id, options);
            if (complete.isPresent()) {
                return complete.get();
            }
        }
        Revision revision;
        try {
            revision = client.revision(id, options.revisionOrMain());
        } catch (HubClient.Busy e) {
            CheckpointFolder folder =
                    ifCached(id, options).orElseThrow(() -> new TomeException(String.valueOf(e.getMessage()), e));
            return withWarning(e, folder);
        } catch (HubClient.Unreachable e) {
            return withWarning(e, cached(id, options, withoutPeriod(e)));
        } catch (IOException e) {
            throw new TomeException(withoutPeriod(e) + ".", e);
        }
        try {
            download(revision, select(revision, options));
            cache.writeRef(id, options.revisionOrMain(), revision.commit());
            return CheckpointFolder.open(cache.snapshot(id, revision.commit()), options.variant());
        } catch (HubClient.Busy e) {
            throw new TomeException(e.getMessage(), e);
        } catch (IOException e) {
            throw new TomeException(
                    "The model " + id + " could not be brought into " + settings.cache() + ": " + withoutPeriod(e)
                            + ". What has arrived is kept: try again to continue.",
                    e);
        }
    }

    private static String withoutPeriod(IOException e) {
        return String.valueOf(e.getMessage()).replaceFirst("\\.$", "");
    }

    /** The files to have, weights last; what must be read to know them is downloaded on the way. */
    private Set<String> select(Revision revision, FetchOptions options) throws IOException {
        String shown = revision.id() + " (revision " + options.revisionOrMain() + ")";
        if (!revision.files().contains(ModelIndex.FILE)) {
            throw new TomeException("The model " + shown + " on the hub is not a diffusers checkpoint: it has no "
                    + ModelIndex.FILE + ".");
        }
        download(revision, Set.of(ModelIndex.FILE));
        ModelIndex.read(local(revision, ModelIndex.FILE)).requireClass(shown, CheckpointSource.SUPPORTED_PIPELINES);
        requireSmallFiles(revision, shown);
        Set<String> files = new LinkedHashSet<>(SMALL_FILES);
        files.retainAll(Set.copyOf(revision.files()));
        for (String component : WITH_WEIGHTS) {
            List<String> names = revision.files().stream()
                    .filter(file -> file.startsWith(component + "/"))
                    .map(file -> file.substring(component.length() + 1))
                    .toList();
            WeightFiles weights =
                    WeightFiles.choose(names, options.variant(), "the folder " + component + " of " + shown);
            String file = component + "/" + weights.file();
            files.add(file);
            if (weights.sharded()) {
                download(revision, Set.of(file));
                Set<String> shards = new TreeSet<>(
                        ShardedSafetensors.weightMap(local(revision, file)).values());
                shards.forEach(shard -> files.add(component + "/" + shard));
            }
        }
        return files;
    }

    /** To be said before gigabytes are downloaded. */
    private static void requireSmallFiles(Revision revision, String shown) {
        List<String> missing = new ArrayList<>(CONFIGS);
        if (!revision.files().contains(WHOLE_TOKENIZER)) {
            missing.addAll(VOCABULARY);
        }
        missing.removeAll(revision.files());
        if (!missing.isEmpty()) {
            throw new TomeException("The model " + shown + " on the hub is incomplete: it has no "
                    + String.join(", no ", missing) + ".");
        }
    }

    private Path local(Revision revision, String file) {
        return cache.file(revision.id(), revision.commit(), file);
    }

    private void download(Revision revision, Set<String> files) throws IOException {
        List<RemoteFile> missing = new ArrayList<>();
        long needed = 0;
        for (String file : files) {
            if (!Files.exists(local(revision, file))) {
                RemoteFile remote = client.describe(revision, file);
                missing.add(remote);
                needed += Math.max(0, remote.size() - BlobDownload.present(blob(remote)));
            }
        }
        if (missing.isEmpty()) {
            return;
        }
        Files.createDirectories(settings.cache());
        long usable = usableSpace.applyAsLong(settings.cache());
        if (usable < needed) {
            throw new TomeException("There is not enough room on the disk for " + revision.id() + ": "
                    + megabytes(needed) + " are needed in " + settings.cache() + ", " + megabytes(usable)
                    + " are free. Make room, or set HF_HOME to a folder on another disk.");
        }
        BlobDownload download = new BlobDownload(client, listener);
        for (RemoteFile remote : missing) {
            Path blob = blob(remote);
            download.run(remote, blob, cache.lock(revision.id(), remote.etag()));
            cache.link(blob, local(revision, remote.name()));
        }
    }

    private Path blob(RemoteFile file) {
        return cache.blob(file.revision().id(), file.etag());
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    private CheckpointFolder withWarning(IOException failure, CheckpointFolder folder) {
        listener.warning(withoutPeriod(failure) + "; what the cache has is used instead, which may not be the newest: "
                + folder.path() + ".");
        return folder;
    }

    private Optional<CheckpointFolder> ifCached(String id, FetchOptions options) {
        try {
            return Optional.of(cached(id, options, ""));
        } catch (TomeException notCached) {
            return Optional.empty();
        }
    }

    /** What the cache has, if that is all that is needed. */
    private CheckpointFolder cached(String id, FetchOptions options, String why) {
        String revision = options.revisionOrMain();
        String commit = cache.commit(id, revision);
        Path folder = commit.isEmpty() ? cache.repo(id) : cache.snapshot(id, commit);
        if (commit.isEmpty() || !Files.exists(folder.resolve(ModelIndex.FILE))) {
            throw new TomeException(why + ", and the model " + id + " (revision " + revision + ") is not in the cache "
                    + settings.cache() + ".");
        }
        CheckpointFolder checkpoint = CheckpointFolder.open(folder, options.variant());
        try {
            checkpoint.modelIndex().requireClass(id, CheckpointSource.SUPPORTED_PIPELINES);
            requireSmallFiles(checkpoint);
            WITH_WEIGHTS.forEach(component -> checkpoint.component(component).weights());
        } catch (TomeException e) {
            throw new TomeException(why + ", and the model " + id + " in the cache will not do: " + e.getMessage(), e);
        }
        return checkpoint;
    }

    private static void requireSmallFiles(CheckpointFolder checkpoint) {
        List<String> files = new ArrayList<>(CONFIGS);
        if (!Files.exists(checkpoint.path().resolve(WHOLE_TOKENIZER))) {
            files.addAll(VOCABULARY);
        }
        for (String file : files) {
            String[] parts = file.split("/", 2);
            checkpoint.component(parts[0]).file(parts[1]);
        }
    }
}
