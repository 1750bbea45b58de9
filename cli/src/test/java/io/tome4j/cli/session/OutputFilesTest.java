package io.tome4j.cli.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OutputFilesTest {
    @Test
    void namesComeFromThePrompt() {
        assertThat(OutputFiles.slug("  A photo: of / an apple.. ")).isEqualTo("a-photo-of-an-apple");
        assertThat(OutputFiles.slug("../../etc/passwd")).isEqualTo("etc-passwd");
        assertThat(OutputFiles.slug("żółw 日本 🦜")).isEqualTo("żółw-日本");
        assertThat(OutputFiles.slug("🦜")).isEqualTo("image");
        assertThat(OutputFiles.slug("x".repeat(300))).hasSize(50);
    }
}
