package io.tome4j.checkpoint;

import io.tome4j.checkpoint.HubClient.RemoteFile;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Downloads one file's content into the cache, in these steps:
 *
 * <ol>
 *   <li>A lock keeps other processes of ours from fetching the same content meanwhile.
 *   <li>The bytes go to {@code ETAG.incomplete}. What a broken-off download left there is kept and continued; after a cut
 *       connection the rest is asked for. Only attempts that bring nothing count against the limit.
 *   <li>Size and hash are checked; content that fails is deleted and, once, fetched anew from its first byte: what
 *       another program left there may not have been the beginning of this.
 *   <li>The file is renamed to {@code ETAG}: whoever sees that name sees all of the content.
 * </ol>
 */
final class BlobDownload {
    private static final int FRUITLESS_ATTEMPTS = 5;
    private static final int BUFFER = 1 << 16;

    private final HubClient client;
    private final DownloadListener listener;

    BlobDownload(HubClient client, DownloadListener listener) {
        this.client = client;
        this.listener = listener;
    }

    /** The bytes of a file that are here already. */
    static long present(Path blob) {
        try {
            Path partial = partial(blob);
            return Files.exists(blob) ? Files.size(blob) : Files.exists(partial) ? Files.size(partial) : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    void run(RemoteFile file, Path blob, Path lockFile) throws IOException {
        Files.createDirectories(HubCache.parent(blob));
        Files.createDirectories(HubCache.parent(lockFile));
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            FileLock held = lock(channel);
            try {
                if (!Files.exists(blob)) {
                    fetchWhole(file, blob);
                }
            } finally {
                if (held.isValid()) {
                    held.release();
                }
            }
        }
    }

    private static FileLock lock(FileChannel channel) throws IOException {
        while (true) {
            try {
                return channel.lock();
            } catch (OverlappingFileLockException e) {
                sleep(100); // another thread of this process has it
            }
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TomeException("The download was interrupted.", e);
        }
    }

    private static Path partial(Path blob) {
        return blob.resolveSibling(blob.getFileName() + ".incomplete");
    }

    private void fetchWhole(RemoteFile file, Path blob) throws IOException {
        Path partial = partial(blob);
        fetch(file, partial);
        if (!damage(file, partial).isEmpty()) {
            Files.delete(partial);
            fetch(file, partial);
            String damage = damage(file, partial);
            if (!damage.isEmpty()) {
                Files.delete(partial);
                throw new TomeException("The file " + file.name() + " of "
                        + file.revision().id() + " arrived damaged, twice, and was deleted: " + damage
                        + ". Try again; if it happens again, something between here and the hub changes the content.");
            }
        }
        Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void fetch(RemoteFile file, Path partial) throws IOException {
        if (file.size() >= 0 && Files.exists(partial) && Files.size(partial) > file.size()) {
            Files.delete(partial);
        }
        int fruitless = 0;
        while (true) {
            long before = Files.exists(partial) ? Files.size(partial) : 0;
            if (file.size() >= 0 && before == file.size() && before > 0) {
                break;
            }
            try {
                append(file, partial, before);
                break;
            } catch (IOException e) {
                long after = Files.exists(partial) ? Files.size(partial) : 0;
                fruitless = after > before ? 1 : fruitless + 1;
                if (isLocal(e) || fruitless == FRUITLESS_ATTEMPTS || !client.pauseBeforeRetry(e, fruitless)) {
                    throw e;
                }
            }
        }
    }

    /** The disk failed, not the network. */
    private static final class WriteFailed extends IOException {
        private static final long serialVersionUID = 1L;

        WriteFailed(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private static boolean isLocal(IOException e) {
        return e instanceof WriteFailed || e instanceof java.nio.file.FileSystemException;
    }

    private void append(RemoteFile file, Path partial, long have) throws IOException {
        var response = client.content(file, have);
        try (InputStream body = response.body();
                var guard = new StallGuard(
                        body,
                        () -> listener.warning("Nothing of " + file.name() + " came for some seconds; waiting."));
                FileChannel out = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (response.statusCode() == 416) {
                Files.delete(partial);
                throw new IOException("the server has fewer bytes than an earlier download");
            }
            // A server that knows no ranges begins anew.
            long done = response.statusCode() == 206 ? have : 0;
            out.truncate(done).position(done);
            byte[] buffer = new byte[BUFFER];
            listener.progress(file.name(), done, file.size());
            for (int read; (read = body.read(buffer)) >= 0; ) {
                guard.alive();
                write(out, ByteBuffer.wrap(buffer, 0, read));
                done += read;
                listener.progress(file.name(), done, file.size());
            }
            if (file.size() >= 0 && done < file.size()) {
                throw new IOException("The connection was cut after " + done + " of " + file.size() + " bytes of "
                        + file.name() + ".");
            }
        }
    }

    private static void write(FileChannel out, ByteBuffer bytes) throws WriteFailed {
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw new WriteFailed(e);
        }
    }

    /** What is wrong with the content; empty if nothing is. */
    private static String damage(RemoteFile file, Path partial) throws IOException {
        long size = Files.size(partial);
        String etag = file.etag();
        String actual = etag;
        if (etag.matches("[0-9a-f]{64}")) {
            actual = hash("SHA-256", "", partial);
        } else if (etag.matches("[0-9a-f]{40}")) {
            actual = hash("SHA-1", "blob " + size + "\0", partial); // as git names the content
        }
        if (file.size() >= 0 && size != file.size()) {
            return "it has " + size + " bytes instead of " + file.size();
        }
        return actual.equals(etag) ? "" : "its hash is " + actual + " instead of " + etag;
    }

    private static String hash(String algorithm, String prefix, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(prefix.getBytes(StandardCharsets.US_ASCII));
            byte[] buffer = new byte[1 << 20];
            for (int read; (read = in.read(buffer)) >= 0; ) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has both
        }
    }
}
