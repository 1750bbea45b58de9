package io.tome4j.checkpoint;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/** The files of a folder that other processes may be writing into. */
public final class FolderFiles {
    private FolderFiles() {}

    /**
     * All regular files, and links to such, at any depth, in the order of their names; what vanishes while it is looked at,
     * as {@link Files#walk} does not allow, is left out.
     *
     * @throws IOException if the folder, or one in it, cannot be read
     */
    public static List<Path> in(Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (Files.isRegularFile(file)) {
                    files.add(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                return goOnAfter(e, file);
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                return e == null ? FileVisitResult.CONTINUE : goOnAfter(e, visited);
            }

            private FileVisitResult goOnAfter(IOException e, Path path) throws IOException {
                if (e instanceof NoSuchFileException && !path.equals(folder)) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
        files.sort(null);
        return List.copyOf(files);
    }

    /** Bytes of all of them together. */
    public static long bytes(Path folder) throws IOException {
        return in(folder).stream().mapToLong(file -> file.toFile().length()).sum();
    }
}
