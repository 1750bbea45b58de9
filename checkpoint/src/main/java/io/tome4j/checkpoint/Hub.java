package io.tome4j.checkpoint;

import io.tome4j.checkpoint.HubClient.RemoteFile;
import io.tome4j.checkpoint.HubClient.Revision;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;

/**
 * Brings a model from the Hugging Face hub into the cache, unless it is there: only the {@linkplain ModelFiles files} that
 * are needed, in safetensors.
 */
final class Hub {
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}");

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
        this.client = new HubClient(settings, listener);
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
    Path fetch(String id, FetchOptions options, WantedModel wanted) {
        if (settings.offline()) {
            return cached(id, options, wanted, "The hub is not asked, because HF_HUB_OFFLINE is set");
        }
        if (HubCache.isCommit(options.revision())) {
            Optional<Path> complete = ifCached(id, options, wanted);
            if (complete.isPresent()) {
                return complete.get();
            }
        }
        Revision revision;
        try {
            revision = client.revision(id, options.revisionOrMain());
        } catch (HubClient.Busy e) {
            Path folder = ifCached(id, options, wanted)
                    .orElseThrow(() -> new TomeException(String.valueOf(e.getMessage()), e));
            return withWarning(e, folder);
        } catch (HubClient.Unreachable e) {
            return withWarning(e, cached(id, options, wanted, withoutPeriod(e)));
        } catch (IOException e) {
            throw new TomeException(withoutPeriod(e) + ".", e);
        }
        try {
            download(revision, select(revision, options, wanted));
            cache.writeRef(id, options.revisionOrMain(), revision.commit());
            return cache.snapshot(id, revision.commit());
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
    private Set<String> select(Revision revision, FetchOptions options, WantedModel wanted) throws IOException {
        String shown = revision.id() + " (revision " + options.revisionOrMain() + ")";
        if (!revision.files().contains(wanted.index())) {
            throw new TomeException("The model " + shown + " on the hub is not " + wanted.description() + ": it has no "
                    + wanted.index() + ".");
        }
        download(revision, Set.of(wanted.index()));
        ModelFiles needed = wanted.files().apply(local(revision, wanted.index()), shown);
        List<String> missing = needed.missing(revision.files());
        if (!missing.isEmpty()) { // to be said before gigabytes are downloaded
            throw new TomeException("The model " + shown + " on the hub is incomplete: it has no "
                    + String.join(", no ", missing) + ".");
        }
        Set<String> files = needed.small(revision.files());
        download(revision, files);
        needed.check().accept(cache.snapshot(revision.id(), revision.commit()));
        boolean hasVariant = needed.withWeights().stream()
                .anyMatch(prefix -> WeightFiles.find(names(revision, prefix), options.variant())
                        .isPresent());
        for (String prefix : needed.withWeights()) {
            String where = prefix.isEmpty()
                    ? "the model " + shown
                    : "the folder " + prefix.substring(0, prefix.length() - 1) + " of " + shown;
            WeightFiles weights = WeightFiles.choose(names(revision, prefix), options.variant(), hasVariant, where);
            String file = prefix + weights.file();
            files.add(file);
            if (weights.sharded()) {
                download(revision, Set.of(file));
                Set<String> shards = new TreeSet<>(
                        ShardedSafetensors.weightMap(local(revision, file)).values());
                shards.forEach(shard -> files.add(prefix + shard));
            }
        }
        return files;
    }

    /** The names of the files in a folder, without what it is called. */
    private static List<String> names(Revision revision, String prefix) {
        return revision.files().stream()
                .filter(file -> file.startsWith(prefix))
                .map(file -> file.substring(prefix.length()))
                .toList();
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

    private Path withWarning(IOException failure, Path folder) {
        listener.warning(withoutPeriod(failure) + "; what the cache has is used instead, which may not be the newest: "
                + folder + ".");
        return folder;
    }

    private Optional<Path> ifCached(String id, FetchOptions options, WantedModel wanted) {
        try {
            return Optional.of(cached(id, options, wanted, ""));
        } catch (TomeException notCached) {
            return Optional.empty();
        }
    }

    /** What the cache has, if that is all that is needed. */
    private Path cached(String id, FetchOptions options, WantedModel wanted, String why) {
        String revision = options.revisionOrMain();
        String commit = cache.commit(id, revision);
        Path folder = commit.isEmpty() ? cache.repo(id) : cache.snapshot(id, commit);
        if (commit.isEmpty() || !Files.exists(folder.resolve(wanted.index()))) {
            throw new TomeException(why + ", and the model " + id + " (revision " + revision + ") is not in the cache "
                    + settings.cache() + ".");
        }
        try {
            wanted.files().apply(folder.resolve(wanted.index()), id).requireComplete(folder, options.variant());
        } catch (TomeException e) {
            throw new TomeException(why + ", and the model " + id + " in the cache will not do: " + e.getMessage(), e);
        }
        return folder;
    }
}
