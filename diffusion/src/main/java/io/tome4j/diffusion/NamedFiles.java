package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The safetensors files in a folder and those below it, by name: without their end, and with the folders before it.
 *
 * @param folder where they lie
 * @param option what users call one of them
 */
record NamedFiles(Path folder, String option) {
    private static final String SUFFIX = ".safetensors";

    NamedFiles {
        if (!Files.isDirectory(folder)) {
            throw new OptionException("{" + option + "_dir} is " + OptionException.literal(folder.toString())
                    + ": there is no such folder");
        }
    }

    /** All of them; looked up anew each time, for files come and go. */
    Map<String, Path> all() {
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            Map<String, Path> byName = new TreeMap<>();
            files.filter(file -> file.toString().endsWith(SUFFIX) && Files.isRegularFile(file))
                    .forEach(file -> {
                        String name = folder.relativize(file).toString().replace('\\', '/');
                        byName.put(name.substring(0, name.length() - SUFFIX.length()), file);
                    });
            return byName;
        } catch (IOException | UncheckedIOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * The file of a name, with or without folders before it.
     *
     * @throws OptionException if there is none (it says which are alike), or several
     */
    Path find(String name) {
        return find(name, all());
    }

    /** As {@link #find(String)}, among these. */
    Path find(String name, Map<String, Path> files) {
        Path exact = files.get(name);
        if (exact != null) {
            return exact;
        }
        List<String> below =
                files.keySet().stream().filter(key -> key.endsWith("/" + name)).toList();
        if (below.size() == 1) {
            return files.getOrDefault(below.get(0), folder);
        }
        String said = "{" + option + "} is '" + OptionException.literal(name) + "'";
        if (below.size() > 1) {
            throw new OptionException(said + ", and there are several: " + String.join(", ", below) + ". Say which");
        }
        List<String> near = NearNames.of(name, files.keySet());
        throw new OptionException(said + ", and there is none of this name in "
                + OptionException.literal(folder.toString())
                + (near.isEmpty() ? "" : "; alike are " + OptionException.literal(String.join(", ", near))));
    }
}
