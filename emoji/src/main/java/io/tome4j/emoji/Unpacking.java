package io.tome4j.emoji;

import io.tome4j.checkpoint.FolderFiles;
import io.tome4j.checkpoint.WholeFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Writes files so that a reader finds each of them whole or not at all. */
final class Unpacking {
    /** Longer than any process takes for one file. */
    private static final Duration SURELY_ABANDONED = Duration.ofMinutes(10);

    private Unpacking() {}

    /** Writes a file, and the folders it lies in. */
    static void write(InputStream in, long size, Path file) throws IOException {
        Files.createDirectories(file.resolveSibling(""));
        try {
            WholeFile.replace(file, part -> {
                if (Files.copy(in, part) != size) {
                    throw new EOFException("the jar's " + file.getFileName() + " has not the size it should have");
                }
            });
        } catch (AccessDeniedException e) {
            // Windows lets no file be replaced that is open: whoever opened it has made it whole
            if (file.toFile().length() != size) {
                throw e;
            }
        }
    }

    /** Deletes what processes that were killed have left, but nothing that another one may be writing. */
    static void removeLeftovers(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        Instant limit = Instant.now().minus(SURELY_ABANDONED);
        for (Path file : FolderFiles.in(folder)) {
            long changed = file.toFile().lastModified(); // 0 if it is gone by now
            if (WholeFile.isPart(file) && Instant.ofEpochMilli(changed).isBefore(limit)) {
                Files.deleteIfExists(file);
            }
        }
    }
}
