package io.tome4j.cli.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFilesTest {
    @TempDir
    Path folder;

    @Test
    void aTextReplacesTheFileAndLeavesNothingBesideIt() {
        Path file = folder.resolve("a.txt");
        OutputFiles.write(file, "before, and longer");
        OutputFiles.write(file, "żółw\n");
        assertThat(file).content().isEqualTo("żółw\n");
        assertThat(folder.toFile().list()).containsExactly("a.txt");
    }

    @Test
    void aTextThatCannotBeWrittenNamesItsFileAndHarmsNothing() {
        Path taken = folder.resolve("taken");
        assertThat(taken.resolve("x").toFile().mkdirs()).isTrue();
        assertThatThrownBy(() -> OutputFiles.write(taken, "text"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("cannot be written to " + taken);
        assertThat(folder.toFile().list()).containsExactly("taken");
    }

    @Test
    void namesComeFromThePrompt() {
        assertThat(OutputFiles.slug("  A photo: of / an apple.. ")).isEqualTo("a-photo-of-an-apple");
        assertThat(OutputFiles.slug("../../etc/passwd")).isEqualTo("etc-passwd");
        assertThat(OutputFiles.slug("żółw 日本 🦜")).isEqualTo("żółw-日本");
        assertThat(OutputFiles.slug("🦜")).isEqualTo("image");
        assertThat(OutputFiles.slug("x".repeat(300))).hasSize(50);
    }
}
