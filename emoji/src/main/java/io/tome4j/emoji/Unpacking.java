package io.tome4j.emoji;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Writes files so that a reader finds each of them whole or not at all. */
final class Unpacking {
    private static final String PART = ".part";

    /** Longer than any process takes for one file. */
    private static final Duration SURELY_ABANDONED = Duration.ofMinutes(10);

    private Unpacking() {}

    /** Writes beside the file's place, under a name that no other writer takes, and renames. */
    static void write(InputStream in, long size, Path file) throws IOException {
        Path folder = file.resolveSibling("");
        Files.createDirectories(folder);
        Path part = Files.createTempFile(folder, file.getFileName().toString(), PART);
        try {
            if (Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING) != size) {
                throw new EOFException("the jar's " + file.getFileName() + " has not the size it should have");
            }
            move(part, file);
        } catch (AccessDeniedException e) {
            // Windows lets no file be replaced that is open: whoever opened it has made it whole
            if (file.toFile().length() != size) {
                throw e;
            }
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static void move(Path part, Path file) throws IOException {
        try {
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Deletes what processes that were killed have left, but nothing that another one may be writing. */
    static void removeLeftovers(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        Instant limit = Instant.now().minus(SURELY_ABANDONED);
        List<Path> parts;
        try (Stream<Path> files = Files.walk(folder)) {
            parts = files.filter(file -> file.toString().endsWith(PART)).toList();
        }
        for (Path part : parts) {
            if (Files.exists(part)
                    && Files.getLastModifiedTime(part).toInstant().isBefore(limit)) {
                Files.deleteIfExists(part);
            }
        }
    }

    /** Why it failed, as the end of a sentence. */
    static String reason(IOException e) {
        if (e instanceof AccessDeniedException denied) {
            return "this user may not write to " + denied.getFile();
        }
        if (e instanceof FileAlreadyExistsException file) {
            return file.getFile() + " is a file where a folder should be";
        }
        String reason = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
        return reason == null || reason.isEmpty()
                ? e.toString()
                : reason.substring(0, 1).toLowerCase(Locale.ROOT) + reason.substring(1);
    }
}
