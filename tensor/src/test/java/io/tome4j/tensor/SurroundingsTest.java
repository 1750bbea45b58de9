package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SurroundingsTest {
    private static final List<String> STATUS = List.of("Name:\tjava", "VmPeak:\t 9000000 kB", "VmSize:\t 3000000 kB");

    @TempDir
    Path folder;

    @Test
    void whatIsLeftOfALimitedAddressSpaceIsCounted() {
        List<String> limited = List.of(
                "Limit                     Soft Limit           Hard Limit           Units     ",
                "Max address space         4096000000           unlimited            bytes     ");
        assertThat(AddressSpace.free(limited, STATUS)).hasValue(4096000000L - 3000000L * 1024);
        assertThat(AddressSpace.free(
                        List.of("Max address space         unlimited            unlimited            bytes     "),
                        STATUS))
                .isEmpty();
        assertThat(AddressSpace.free(List.of(), List.of())).isEmpty();
    }

    @Test
    void tooLittleForLibtorchIsSaid() {
        assertThatThrownBy(() -> AddressSpace.requireRoomForLibtorch(OptionalLong.of(1L << 30)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("1.0 GB more of address space")
                .hasMessageContaining("ulimit -v unlimited");
        assertThatCode(() -> AddressSpace.requireRoomForLibtorch(OptionalLong.of(2L << 30)))
                .doesNotThrowAnyException();
        assertThatCode(() -> AddressSpace.requireRoomForLibtorch(OptionalLong.empty()))
                .doesNotThrowAnyException();
    }

    @Test
    void aTemporaryFolderThatCanBeWrittenIsTakenAndNothingIsLeftInIt() throws IOException {
        assertThat(UnpackFolder.choose(folder, folder.resolve("none"))).isEmpty();
        assertThat(Files.list(folder)).isEmpty();
    }

    @Test
    void aFolderOfTheUsersTakesItsPlaceOrAnErrorNamesBoth() throws IOException {
        Path none = folder.resolve("none");
        Path home = Files.createDirectory(folder.resolve("home"));
        assertThat(UnpackFolder.choose(none, home))
                .hasValueSatisfying(
                        chosen -> assertThat(chosen).startsWith(home).isEmptyDirectory());
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> UnpackFolder.choose(none, file))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(none.toString())
                .hasMessageContaining(file.toString())
                .hasMessageContaining("-Djava.io.tmpdir=");
    }
}
