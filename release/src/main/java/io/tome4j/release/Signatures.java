package io.tome4j.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a detached signature is that of some bytes. */
@FunctionalInterface
interface Signatures {
    /** @throws IOException if it cannot be found out */
    boolean isSignature(byte[] signature, byte[] data) throws IOException;

    /** As {@code gpg} says, with the keys of its usual folder ({@code GNUPGHOME}). */
    static Signatures ofGpg() {
        return (signature, data) -> {
            Path folder = Files.createTempDirectory("signature");
            Path signed = Files.write(folder.resolve("data"), data);
            Path detached = Files.write(folder.resolve("data.asc"), signature);
            try {
                return new ProcessBuilder(
                                        "gpg", "--batch", "--quiet", "--verify", detached.toString(), signed.toString())
                                .redirectErrorStream(true)
                                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                .start()
                                .waitFor()
                        == 0;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } finally {
                Files.delete(detached);
                Files.delete(signed);
                Files.delete(folder);
            }
        };
    }
}
