package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WholeFileTest {
    private static final byte[] NEW = "new".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private String[] there() {
        return folder.toFile().list();
    }

    @Test
    void anExistingFileIsReplacedAndNothingElseIsLeft() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old and longer");
        WholeFile.write("text", file, NEW);
        assertThat(file).hasContent("new");
        assertThat(there()).containsExactly("a.txt");
    }

    @Test
    void nobodySeesTheFileUnderItsNameBeforeItIsWhole() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        WholeFile.write("text", file, part -> {
            Files.writeString(part, "ne");
            assertThat(file).hasContent("old");
            assertThat(part).hasParent(folder);
            assertThat(WholeFile.isPart(part)).isTrue();
            Files.writeString(part, "new");
        });
        assertThat(file).hasContent("new");
        assertThat(WholeFile.isPart(file)).isFalse();
    }

    @Test
    void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        assertThatThrownBy(() -> WholeFile.write("text", file, part -> {
                    Files.writeString(part, "ne");
                    throw new FileSystemException(part.toString(), null, "No space left on device");
                }))
                .isInstanceOf(TomeException.class)
                .hasMessage("The text cannot be written to " + file + ": no space left on device.");
        assertThatThrownBy(() -> WholeFile.write("text", file, part -> {
                    Files.writeString(part, "ne");
                    throw new IllegalStateException("no content");
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(file).hasContent("old");
        assertThat(there()).containsExactly("a.txt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "é", "日", "🦜"})
    void theLongestNamesCanBeWritten(String letter) {
        int bytes = letter.getBytes(StandardCharsets.UTF_8).length;
        Path file = folder.resolve(letter.repeat(255 / bytes));
        WholeFile.write("text", file, NEW);
        assertThat(file).hasContent("new");
    }

    @Test
    void aMissingFolderIsNamed() {
        Path missing = folder.resolve("no").resolve("a.txt");
        assertThatThrownBy(() -> WholeFile.write("text", missing, NEW))
                .isInstanceOf(TomeException.class)
                .hasMessage("The text cannot be written to " + missing + ": the folder " + folder.resolve("no")
                        + " does not exist; make it first.");
    }

    @Test
    void aFolderInPlaceOfTheFileIsNamed() {
        assertThatThrownBy(() -> WholeFile.write("text", folder, NEW))
                .isInstanceOf(TomeException.class)
                .hasMessage("The text cannot be written to " + folder + ": that is a folder; name a file in it.");
    }

    @Test
    void aFileInPlaceOfTheFolderIsNamedAndNothingIsLeftBehind() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "in the way");
        for (Path below : List.of(file.resolve("b.txt"), file.resolve("b/c.txt"))) {
            assertThatThrownBy(() -> WholeFile.write("text", below, NEW))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining(file + " is a file where a folder should be");
        }
        assertThat(there()).containsExactly("a.txt");
    }

    @Test
    void reasonsAreSaidInWords() {
        String file = folder.resolve("x").toString();
        assertThat(WholeFile.reason(new FileSystemException(file, null, "No space left on device")))
                .isEqualTo("no space left on device");
        assertThat(WholeFile.reason(new AccessDeniedException(file))).startsWith("this user may not write there");
        assertThat(WholeFile.reason(new NoSuchFileException(file))).isEqualTo("there is no file " + file);
        assertThat(WholeFile.reason(new IOException("The jar is damaged"))).isEqualTo("the jar is damaged");
        assertThat(WholeFile.reason(new FileAlreadyExistsException(file))).contains(file);
        assertThat(WholeFile.reason(new IOException())).isNotEmpty();
    }

    @Test
    void manyWritersOfOneFileDoNotDisturbEachOther() throws Exception {
        Path file = folder.resolve("a.txt");
        var threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Boolean>> writers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                String content = String.valueOf(i % 10).repeat(10_000);
                writers.add(() -> {
                    WholeFile.write("text", file, content.getBytes(StandardCharsets.UTF_8));
                    String seen = Files.readString(file);
                    return seen.length() == 10_000 && seen.chars().distinct().count() == 1;
                });
            }
            for (var seenWhole : threads.invokeAll(writers)) {
                assertThat(seenWhole.get()).isTrue();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(there()).containsExactly("a.txt");
    }
}
