package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Writes files that are there whole, or not at all: beside their place first, under a name that no other writer takes,
 * then renamed. What was there is replaced; when writing fails it stays, and nothing else is left behind.
 */
public final class WholeFile {
    private static final String PART = ".part";

    /**
     * As much of a file's name as its part begins with, in code points. With what follows these are at most 139 bytes,
     * which every file system allows: the name itself may be as long as one does (255 bytes, mostly).
     */
    private static final int KEPT_OF_NAME = 30;

    private WholeFile() {}

    /** What becomes a file's content, for files that need not fit into memory. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the content.
         *
         * @param part a file that is not there yet, in the folder of the one it becomes
         */
        void writeTo(Path part) throws IOException;
    }

    /**
     * Writes a file.
     *
     * @param what is written, for the message: {@code image}
     * @throws TomeException if it cannot be written, saying why and what to do
     */
    public static void write(String what, Path file, byte[] content) {
        write(what, file, part -> Files.write(part, content));
    }

    /** As {@link #write(String, Path, byte[])}, for content of any size. */
    public static void write(String what, Path file, Content content) {
        try {
            replace(file, content);
        } catch (IOException e) {
            throw new TomeException("The " + what + " cannot be written to " + file + ": " + reason(e) + ".", e);
        }
    }

    /**
     * Writes a file, for callers that have more to say when it fails: {@link #reason} is the middle of it.
     *
     * @throws IOException if it cannot be written
     */
    public static void replace(Path file, Content content) throws IOException {
        Path absolute = file.toAbsolutePath();
        if (Files.isDirectory(absolute)) {
            throw new FileSystemException(absolute.toString(), null, "that is a folder; name a file in it");
        }
        Path part = absolute.resolveSibling(partName(String.valueOf(absolute.getFileName())));
        try {
            content.writeTo(part);
            try {
                Files.move(part, absolute, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            deleteQuietly(part);
        }
    }

    private static String partName(String name) {
        int kept = Math.min(KEPT_OF_NAME, name.codePointCount(0, name.length()));
        long number = ThreadLocalRandom.current().nextLong(Long.MAX_VALUE);
        return name.substring(0, name.offsetByCodePoints(0, kept)) + "." + Long.toString(number, Character.MAX_RADIX)
                + PART;
    }

    private static void deleteQuietly(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            // what matters is the error before; after none, there is no part
        }
    }

    /** Whether a file is the unfinished part of another: being written now, or left by a process that was killed. */
    public static boolean isPart(Path file) {
        return file.toString().endsWith(PART);
    }

    /** Why a file or a folder could not be written and what to do, as the end of a sentence without its full stop. */
    public static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "this user may not write there; choose another place, or give it the permission";
        }
        if (!(e instanceof FileSystemException system)) {
            return decapitalized(e.getMessage(), e);
        }
        String file = system.getFile();
        Path folder = file == null ? null : Path.of(file).toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            return missing(folder);
        }
        return e instanceof NoSuchFileException ? "there is no file " + file : decapitalized(system.getReason(), e);
    }

    private static String missing(Path folder) {
        for (Path there = folder; there != null; there = there.getParent()) {
            if (Files.exists(there) && !Files.isDirectory(there)) {
                return there + " is a file where a folder should be; choose another place";
            }
        }
        return "the folder " + folder + " does not exist; make it first";
    }

    private static String decapitalized(@Nullable String reason, IOException e) {
        return reason == null || reason.isEmpty()
                ? e.toString()
                : Character.toLowerCase(reason.charAt(0)) + reason.substring(1);
    }
}
