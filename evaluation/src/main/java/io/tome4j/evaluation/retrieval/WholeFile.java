package io.tome4j.evaluation.retrieval;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes files that are there whole, or not at all. */
final class WholeFile {
    private WholeFile() {}

    /** Writes beside the file's place and renames; what is there is replaced. */
    static void write(Path file, byte[] content) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path part = absolute.resolveSibling(
                absolute.getFileName() + "." + Long.toString(System.nanoTime(), Character.MAX_RADIX) + ".part");
        try {
            Files.write(part, content);
            try {
                Files.move(part, absolute, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
