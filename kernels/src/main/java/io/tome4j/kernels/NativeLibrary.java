package io.tome4j.kernels;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The library that {@code kernels/build.sh} builds. */
final class NativeLibrary {
    private static final String RESOURCE = "linux-x86_64/libtome4j-kernels.so";

    private NativeLibrary() {}

    /** Whether there is one for this operating system and processor. */
    static boolean isForThisPlatform() {
        return System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64");
    }

    /**
     * Loads the library of the jar.
     *
     * @throws IOException if it cannot be unpacked
     * @throws UnsatisfiedLinkError if it cannot be loaded
     */
    static void load() throws IOException {
        try (InputStream library = NativeLibrary.class.getResourceAsStream(RESOURCE)) {
            if (library == null) {
                throw new FileNotFoundException(RESOURCE + " is not on the class path");
            }
            load(library.readAllBytes());
        }
    }

    /**
     * Loads a library from a file that nobody else can have written, for it is new and the user's alone, and that is
     * gone when this returns: the process keeps what is mapped.
     */
    static void load(byte[] library) throws IOException {
        Path file = Files.createTempFile("tome4j-kernels-", ".so");
        try {
            Files.write(file, library);
            System.load(file.toAbsolutePath().toString());
        } finally {
            Files.delete(file);
        }
    }
}
