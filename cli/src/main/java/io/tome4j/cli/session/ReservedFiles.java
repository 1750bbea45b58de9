package io.tome4j.cli.session;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Files that a run will write and that were not there: they are made empty at once, so that runs at the same time choose
 * different ones. What is still empty at the end is taken away.
 */
public final class ReservedFiles {
    private final List<Path> files = new ArrayList<>();

    /**
     * Makes a file if it is not there.
     *
     * @return whether it was not
     */
    synchronized boolean reserve(Path file) throws IOException {
        try {
            files.add(Files.createFile(file.toAbsolutePath()));
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    /** Takes those away that nothing was written to. */
    synchronized void release() {
        for (Path file : files) {
            try {
                if (Files.size(file) == 0) {
                    Files.delete(file);
                }
            } catch (IOException e) {
                // it is gone, or stays empty: neither is worth more words than the run itself has
            }
        }
        files.clear();
    }
}
