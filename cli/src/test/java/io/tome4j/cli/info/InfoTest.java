package io.tome4j.cli.info;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.cli.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InfoTest {
    @TempDir
    Path folder;

    @Test
    void anImageWithoutParametersFails() throws IOException {
        Path file = Files.writeString(folder.resolve("a.png"), "no image");
        Program program = Program.run("info", file);
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("is not a PNG image").hasLineCount(1);
        assertThat(Program.run("info").status()).isEqualTo(2);
    }
}
