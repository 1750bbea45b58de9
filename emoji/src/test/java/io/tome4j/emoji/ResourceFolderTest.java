package io.tome4j.emoji;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResourceFolderTest {
    private static final String PATH = "some/where/model";
    private static final Map<String, String> FILES = new TreeMap<>(
            Map.of("index.json", "{}", "unet/weights.bin", "weights".repeat(10_000), "vae/deep/config.json", "{1}"));

    @TempDir
    Path temp;

    private Path cache() {
        return temp.resolve("cache");
    }

    private ResourceFolder inJar(Map<String, String> files) throws IOException {
        Path jar = Files.createTempFile(temp, "model", ".jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            entries.putNextEntry(new ZipEntry(PATH + "/"));
            for (Map.Entry<String, String> file : files.entrySet()) {
                entries.putNextEntry(new ZipEntry(PATH + "/" + file.getKey()));
                entries.write(file.getValue().getBytes());
            }
            entries.putNextEntry(new ZipEntry("some/where/modelling"));
        }
        return in(jar);
    }

    private ResourceFolder inFolder(Map<String, String> files) throws IOException {
        Path root = Files.createTempDirectory(temp, "classes");
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path path = root.resolve(PATH).resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        return in(root);
    }

    private static ResourceFolder in(Path classPathElement) throws IOException {
        try (var loader = new URLClassLoader(new URL[] {classPathElement.toUri().toURL()}, null)) {
            return ResourceFolder.of(loader, PATH, "index.json");
        }
    }

    private static Map<String, String> contents(Path folder) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (var files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                found.put(folder.relativize(file).toString().replace('\\', '/'), Files.readString(file));
            }
        }
        return found;
    }

    @Test
    void filesThatLieOpenAreUsedInPlace() throws IOException {
        ResourceFolder files = inFolder(FILES);
        assertThat(contents(files.folder(cache()))).isEqualTo(FILES);
        assertThat(cache()).doesNotExist();
    }

    @Test
    void aJarIsUnpackedOnce() throws IOException {
        ResourceFolder files = inJar(FILES);
        assertThat(files.location(cache())).doesNotExist();
        Path folder = files.folder(cache());
        assertThat(folder).isEqualTo(files.location(cache())).hasFileName("model");
        assertThat(contents(folder)).isEqualTo(FILES);
        assertThat(files.bytes()).isEqualTo(70_005);
        Path weights = folder.resolve("unet/weights.bin");
        FileTime before = FileTime.from(Instant.parse("2001-01-01T00:00:00Z"));
        Files.setLastModifiedTime(weights, before);
        assertThat(inJar(FILES).folder(cache())).isEqualTo(folder);
        assertThat(Files.getLastModifiedTime(weights)).isEqualTo(before);
    }

    @Test
    void theFingerprintTellsTheContentAndNotWhereItLies() throws IOException {
        Map<String, String> others = new TreeMap<>(FILES);
        others.put("unet/weights.bin", "WEIGHTS".repeat(10_000));
        assertThat(inJar(FILES).fingerprint())
                .matches("[0-9a-f]{16}")
                .isEqualTo(inFolder(FILES).fingerprint())
                .isNotEqualTo(inJar(others).fingerprint());
        assertThat(contents(inJar(FILES).folder(cache()))).isEqualTo(FILES);
        assertThat(contents(inJar(others).folder(cache()))).isEqualTo(others);
    }

    @Test
    void whatIsTruncatedOrMissingIsMadeAnew() throws IOException {
        Path folder = inJar(FILES).folder(cache());
        Files.writeString(folder.resolve("unet/weights.bin"), "cut off");
        Files.delete(folder.resolve("vae/deep/config.json"));
        assertThat(contents(inJar(FILES).folder(cache()))).isEqualTo(FILES);
    }

    @Test
    void aKilledUnpackingIsFinishedAndItsLeftoversGo() throws IOException {
        Path folder = inJar(FILES).location(cache());
        Files.createDirectories(folder.resolve("unet"));
        Path abandoned = Files.writeString(folder.resolve("unet/weights.bin123.part"), "weigh");
        Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
        Path inUse = Files.writeString(folder.resolve("unet/weights.bin456.part"), "wei");
        inJar(FILES).folder(cache());
        assertThat(abandoned).doesNotExist();
        assertThat(inUse).exists();
        Files.delete(inUse);
        assertThat(contents(folder)).isEqualTo(FILES);
    }

    @Test
    void manyAtOnceDoNotDisturbEachOther() throws Exception {
        ResourceFolder files = inJar(FILES);
        var threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Path>> tasks = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                tasks.add(() -> files.folder(cache()));
            }
            for (Future<Path> folder : threads.invokeAll(tasks)) {
                assertThat(contents(folder.get())).isEqualTo(FILES);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void whereNothingCanBeWrittenTheMessageSaysWhatToDo() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "");
        ResourceFolder files = inJar(FILES);
        assertThatThrownBy(() -> files.folder(file.resolve("cache")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("It needs 1 MB there")
                .hasMessageContaining("HF_HUB_CACHE");
    }

    @Test
    void aMissingFolderIsNamed() {
        assertThatThrownBy(() -> in(temp))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("some/where/model/index.json");
    }
}
