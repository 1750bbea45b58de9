package io.tome4j.release;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.ZipFile;

/**
 * The files of a bundle, which is a zip in the layout of a Maven repository.
 *
 * @param files by their paths, which are separated by slashes
 */
record Bundle(Map<String, byte[]> files) {
    /** @throws IOException if it cannot be read as a zip */
    static Bundle read(Path zip) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (ZipFile open = new ZipFile(zip.toFile())) {
            for (var entry : open.stream().filter(each -> !each.isDirectory()).toList()) {
                files.put(entry.getName(), open.getInputStream(entry).readAllBytes());
            }
        }
        return new Bundle(files);
    }

    List<String> paths() {
        return List.copyOf(files.keySet());
    }

    Optional<byte[]> file(String path) {
        return Optional.ofNullable(files.get(path));
    }

    /** A file as text; empty if it is not there. */
    String text(String path) {
        return file(path)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElse("");
    }
}
