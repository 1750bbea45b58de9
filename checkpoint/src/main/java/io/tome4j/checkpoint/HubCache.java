package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The Hugging Face hub's cache, laid out as Python's {@code huggingface_hub} lays it out, so that what one downloads the
 * other finds:
 *
 * <pre>
 * models--org--name/refs/main                            the commit that the branch stood at
 * models--org--name/snapshots/COMMIT/unet/config.json    a link to
 * models--org--name/blobs/ETAG                           the content
 * </pre>
 */
public final class HubCache {
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");
    private static final Pattern SEGMENT = Pattern.compile("[^/\\\\:\\p{Cntrl}]+");
    private static final String PREFIX = "models--";

    private final Path root;

    public HubCache(Path root) {
        this.root = root;
    }

    /**
     * A model in the cache.
     *
     * @param id the model's id on the hub
     * @param revision the branch or tag it was asked for by, or else the commit
     * @param bytes the size of its files
     * @param folder where it lies: what {@link CheckpointFolder#open(Path)} takes
     */
    public record CachedModel(String id, String revision, long bytes, Path folder) {}

    /** The diffusers checkpoints in the cache, complete or not, by id and revision. */
    public List<CachedModel> models() {
        List<CachedModel> models = new ArrayList<>();
        for (Path repo : list(root)) {
            String name = String.valueOf(repo.getFileName());
            if (name.startsWith(PREFIX)) {
                String id = name.substring(PREFIX.length()).replace("--", "/");
                Map<String, String> refs = refs(repo.resolve("refs"));
                for (Path snapshot : list(repo.resolve("snapshots"))) {
                    String commit = String.valueOf(snapshot.getFileName());
                    if (Files.exists(snapshot.resolve(ModelIndex.FILE))) {
                        models.add(new CachedModel(id, refs.getOrDefault(commit, commit), size(snapshot), snapshot));
                    }
                }
            }
        }
        models.sort(Comparator.comparing(CachedModel::id).thenComparing(CachedModel::revision));
        return models;
    }

    static boolean isCommit(String revision) {
        return COMMIT.matcher(revision).matches();
    }

    Path root() {
        return root;
    }

    Path repo(String id) {
        return root.resolve(PREFIX + id.replace("/", "--"));
    }

    /** The commit that a revision stood at when last asked for, or empty. */
    String commit(String id, String revision) {
        if (isCommit(revision)) {
            return revision;
        }
        Path ref = inside(repo(id).resolve("refs"), revision);
        try {
            String commit = Files.isRegularFile(ref) ? Files.readString(ref).strip() : "";
            return isCommit(commit) ? commit : "";
        } catch (IOException e) {
            throw new TomeException("The file " + ref + " cannot be read: " + e.getMessage(), e);
        }
    }

    void writeRef(String id, String revision, String commit) throws IOException {
        if (revision.equals(commit) || commit.equals(commit(id, revision))) {
            return;
        }
        Path ref = inside(repo(id).resolve("refs"), revision);
        Files.createDirectories(parent(ref));
        WholeFile.replace(ref, part -> Files.writeString(part, commit));
    }

    Path snapshot(String id, String commit) {
        if (!isCommit(commit)) {
            throw new TomeException("The hub gave '" + commit + "' as the commit of " + id + ", which is none.");
        }
        return repo(id).resolve("snapshots").resolve(commit);
    }

    /** @throws TomeException if a file of this name would lie outside of the snapshot */
    Path file(String id, String commit, String file) {
        return inside(snapshot(id, commit), file);
    }

    Path blob(String id, String etag) {
        if (!ETAG.matcher(etag).matches()) {
            throw new TomeException(
                    "The hub gave a file of " + id + " the ETag '" + etag + "', which is no file name.");
        }
        return repo(id).resolve("blobs").resolve(etag);
    }

    Path lock(String id, String etag) {
        return root.resolve(".locks").resolve(PREFIX + id.replace("/", "--")).resolve(etag + ".lock");
    }

    /** Makes a blob appear in a snapshot: by a relative link or, where links cannot be made, by itself. */
    void link(Path blob, Path file) throws IOException {
        Path folder = parent(file);
        Files.createDirectories(folder);
        if (Files.exists(file)) {
            return; // another process was faster, and may be reading it
        }
        Files.deleteIfExists(file); // a dangling link
        try {
            Files.createSymbolicLink(file, folder.relativize(blob.toAbsolutePath()));
        } catch (FileAlreadyExistsException e) {
            // another process was faster
        } catch (IOException | UnsupportedOperationException e) {
            copy(blob, file);
        }
    }

    /** The folder that a file lies in. */
    static Path parent(Path file) {
        return Objects.requireNonNull(file.toAbsolutePath().getParent(), "a file lies in a folder");
    }

    static void copy(Path blob, Path file) throws IOException {
        WholeFile.replace(file, part -> Files.copy(blob, part));
    }

    private static Path inside(Path folder, String name) {
        for (String segment : name.split("/", -1)) {
            if (!SEGMENT.matcher(segment).matches() || segment.equals(".") || segment.equals("..")) {
                throw new TomeException(
                        "'" + name + "' is refused as a name in the cache: it could lie outside of " + folder + ".");
            }
        }
        return folder.resolve(name);
    }

    private static Map<String, String> refs(Path folder) {
        Map<String, String> byCommit = new TreeMap<>();
        if (Files.isDirectory(folder)) {
            try {
                for (Path file : FolderFiles.in(folder)) {
                    if (!WholeFile.isPart(file)) {
                        byCommit.putIfAbsent(
                                Files.readString(file).strip(),
                                folder.relativize(file).toString().replace('\\', '/'));
                    }
                }
            } catch (IOException e) {
                throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
            }
        }
        return byCommit;
    }

    private static long size(Path folder) {
        try {
            return FolderFiles.bytes(folder);
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<Path> list(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }
}
