package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderFilesTest {
    @TempDir
    Path folder;

    @Test
    void filesAtAnyDepthAreThereInOrder() throws IOException {
        Files.createDirectories(folder.resolve("b/deep"));
        Path second = Files.writeString(folder.resolve("b/deep/x"), "four");
        Path first = Files.writeString(folder.resolve("a"), "two");
        assertThat(FolderFiles.in(folder)).containsExactly(first, second);
        assertThat(FolderFiles.bytes(folder)).isEqualTo(7);
        assertThatThrownBy(() -> FolderFiles.in(folder.resolve("none"))).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void whatComesAndGoesMeanwhileDisturbsNobody() throws Exception {
        Path stays = Files.writeString(
                Files.createDirectories(folder.resolve("unet")).resolve("weights"), "x");
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Future<?> writing = other.submit(() -> {
                while (!done.get()) {
                    Path inner = Files.createDirectory(folder.resolve("unet/part"));
                    for (int i = 0; i < 20; i++) {
                        Files.createFile(inner.resolve("part" + i));
                    }
                    for (int i = 0; i < 20; i++) {
                        Files.delete(inner.resolve("part" + i));
                    }
                    Files.delete(inner);
                }
                return null;
            });
            for (int i = 0; i < 500; i++) {
                assertThat(FolderFiles.in(folder)).contains(stays);
            }
            done.set(true);
            writing.get();
        } finally {
            other.shutdownNow();
        }
    }
}
