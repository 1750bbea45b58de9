package io.tome4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class NativeLibraryTest {
    private static String text() throws IOException {
        return new String(LibraryUnderTest.bundled(), StandardCharsets.ISO_8859_1);
    }

    @Test
    void theCommittedLibraryIsBuiltFromTheSourcesBesideIt() throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(Files.readAllBytes(Path.of("build.sh")));
        for (String type : List.of(".c", ".h")) {
            try (Stream<Path> files = Files.list(Path.of("src/main/c"))) {
                for (Path file :
                        files.filter(f -> f.toString().endsWith(type)).sorted().collect(Collectors.toList())) {
                    digest.update(Files.readAllBytes(file));
                }
            }
        }
        assertThat(text())
                .as("run kernels/build.sh")
                .contains("built from " + HexFormat.of().formatHex(digest.digest()));
    }

    /** What takes no memory leaks none. */
    @Test
    void theLibraryAllocatesNothing() throws IOException {
        assertThat(text()).contains("memcpy").doesNotContain("alloc").doesNotContain("mmap");
    }

    @Test
    void theLibraryIsSmall() throws IOException {
        assertThat(LibraryUnderTest.bundled()).hasSizeLessThan(100_000);
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void loadingLeavesNoFileBehind() throws IOException {
        Set<Path> before = unpacked();
        NativeLibrary.load();
        assertThat(unpacked()).isEqualTo(before);
    }

    private static Set<Path> unpacked() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("tome4j-kernels-"))
                    .collect(Collectors.toSet());
        }
    }
}
