package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileHashTest {
    /** Of "abc", from FIPS 180-2. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    Path folder;

    @Test
    void aHashIsComputedOnceForAFileThatStaysAsItIs() throws IOException {
        Path file = Files.writeString(folder.resolve("model.safetensors"), "abc");
        Path cache = folder.resolve("cache/hub");
        FileTime time = Files.getLastModifiedTime(file);
        assertThat(FileHash.sha256(file, cache)).isEqualTo(ABC);
        Files.writeString(file, "xyz");
        Files.setLastModifiedTime(file, time); // as long as before, and as old: it was not read again
        assertThat(FileHash.sha256(file, cache)).isEqualTo(ABC);
        Files.setLastModifiedTime(file, FileTime.fromMillis(time.toMillis() + 5000));
        assertThat(FileHash.sha256(file, cache)).isNotEqualTo(ABC);
    }

    @Test
    void aDamagedCacheIsBegunAnewAndOneThatCannotBeWrittenIsDoneWithout() throws IOException {
        Path file = Files.writeString(folder.resolve("model.safetensors"), "abc");
        Files.writeString(folder.resolve("tome4j-hashes.json"), "{");
        assertThat(FileHash.sha256(file, folder)).isEqualTo(ABC);
        assertThat(FileHash.sha256(file, file)).isEqualTo(ABC);
    }
}
