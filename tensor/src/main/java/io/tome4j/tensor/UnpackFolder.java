package io.tome4j.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where JNA unpacks its native library: the temporary folder, or one of the user's where that cannot be written. */
final class UnpackFolder {
    private static final String PROPERTY = "jna.tmpdir";

    private UnpackFolder() {}

    /**
     * Sets the folder for JNA, unless the application has, or the temporary folder, which it takes unasked, can be written.
     *
     * @throws TomeException if there is none
     */
    static void choose() {
        if (System.getProperty(PROPERTY) == null) {
            choose(Path.of(System.getProperty("java.io.tmpdir")), Path.of(System.getProperty("user.home")))
                    .ifPresent(folder -> System.setProperty(PROPERTY, folder.toString()));
        }
    }

    /**
     * @return a folder under the user's, where one is needed
     * @throws TomeException if neither can be written
     */
    static Optional<Path> choose(Path temporary, Path home) {
        if (canWrite(temporary)) {
            return Optional.empty();
        }
        Path ours = home.resolve(".cache").resolve("tome4j").resolve("native");
        try {
            Files.createDirectories(ours);
        } catch (IOException e) {
            // said below
        }
        if (!canWrite(ours)) {
            throw new TomeException("Native libraries have to be unpacked, and neither the temporary folder "
                    + temporary
                    + " nor " + ours + " can be written. Name a folder that can be, with -Djava.io.tmpdir=FOLDER (the"
                    + " program: TOME_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER).");
        }
        return Optional.of(ours);
    }

    private static boolean canWrite(Path folder) {
        try {
            Files.delete(Files.createTempFile(folder, "tome4j-", ".tmp"));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
