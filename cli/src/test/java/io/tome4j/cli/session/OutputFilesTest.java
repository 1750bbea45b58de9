package io.tome4j.cli.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

    private final ReservedFiles reserved = new ReservedFiles();

    private List<String> names(Optional<Path> out, int count) {
        return OutputFiles.choose(out, "a cat", 7, count, reserved).stream()
                .map(file -> file.getFileName().toString())
                .toList();
    }

    @Test
    void imagesOfABatchAreNumberedInTheOrderOfTheirNames() {
        assertThat(names(Optional.of(folder.resolve("x.png")), 2)).containsExactly("x-1.png", "x-2.png");
        assertThat(names(Optional.of(folder.resolve("x.PNG")), 10))
                .startsWith("x-01.png", "x-02.png")
                .endsWith("x-10.png");
        assertThat(names(Optional.of(folder), 100))
                .isSorted()
                .startsWith("a-cat-7-001.png")
                .endsWith("a-cat-7-100.png");
        assertThat(names(Optional.of(folder), 2)).containsExactly("a-cat-7.png", "a-cat-7-2.png");
    }

    @Test
    void runsAtTheSameTimeChooseDifferentFilesAndLeaveNoneThatIsEmpty() throws Exception {
        Set<Path> chosen = ConcurrentHashMap.newKeySet();
        List<Thread> runs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            runs.add(new Thread(() -> chosen.addAll(OutputFiles.choose(Optional.of(folder), "a cat", 7, 2, reserved))));
            runs.get(i).start();
        }
        for (Thread run : runs) {
            run.join();
        }
        assertThat(chosen).hasSize(16).allMatch(Files::exists);
        Path written = Files.writeString(chosen.iterator().next(), "image");
        reserved.release();
        assertThat(folder.toFile().list()).containsExactly(written.getFileName().toString());
    }

    @Test
    void aNameThatNoFileCanHaveIsFoundOutAtOnce() {
        Path file = folder.resolve("x".repeat(300) + ".png");
        assertThatThrownBy(() -> names(Optional.of(file), 1))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("cannot be made: ");
        assertThat(folder.toFile().list()).isEmpty();
    }

    @Test
    void oneFileIsNotTakenTwice() throws IOException {
        Path file = Files.writeString(folder.resolve("a.png"), "");
        Path link = Files.createSymbolicLink(folder.resolve("b.png"), file);
        for (Path same : List.of(file, folder.resolve("x").resolve("..").resolve("a.png"), link)) {
            assertThatThrownBy(() -> OutputFiles.requireDifferent(same, "--latents", List.of(file)))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("which is where an image goes");
        }
        OutputFiles.requireDifferent(folder.resolve("c"), "--latents", List.of(file));
    }

    @Test
    void imagesThatWillFindNoRoomAreRefusedAtOnce() {
        OutputFiles.requireRoom(folder.resolve("a.png"), 64 * 64);
        assertThatThrownBy(() -> OutputFiles.requireRoom(folder.resolve("a.png"), Long.MAX_VALUE / 4))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("There is too little room in " + folder);
    }
}
