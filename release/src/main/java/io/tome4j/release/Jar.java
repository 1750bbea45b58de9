package io.tome4j.release;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.Manifest;

/**
 * What a check wants to know of a jar.
 *
 * @param isThere whether there is any
 * @param entries names of the files in it
 * @param moduleName what its manifest calls it; empty if it does not
 */
record Jar(boolean isThere, List<String> entries, String moduleName) {
    static Jar read(Optional<byte[]> file) throws IOException {
        if (file.isEmpty()) {
            return new Jar(false, List.of(), "");
        }
        List<String> entries = new ArrayList<>();
        try (JarInputStream in = new JarInputStream(new ByteArrayInputStream(file.get()))) {
            Manifest manifest = in.getManifest();
            String name = manifest == null ? null : manifest.getMainAttributes().getValue("Automatic-Module-Name");
            for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
                entries.add(entry.getName());
            }
            return new Jar(true, List.copyOf(entries), name == null ? "" : name);
        }
    }

    boolean has(String ending) {
        return entries.stream().anyMatch(entry -> entry.endsWith(ending));
    }
}
