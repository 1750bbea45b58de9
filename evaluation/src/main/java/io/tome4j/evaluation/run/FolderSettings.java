package io.tome4j.evaluation.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tome4j.checkpoint.WholeFile;
import io.tome4j.evaluation.Differences;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The settings that everything in a folder was made with, in a file there. */
final class FolderSettings {
    private static final String FILE = "evaluation.json";

    private FolderSettings() {}

    /**
     * Makes a folder one of these settings; it may be new, empty, or one of them already.
     *
     * @param settings all that its content depends on, by name
     * @throws TomeException if it is another folder, and if it cannot be read or written
     */
    static void claim(Path folder, Map<String, String> settings) {
        Path file = folder.resolve(FILE);
        try {
            Files.createDirectories(folder.toAbsolutePath());
            if (Files.exists(file)) {
                requireSame(folder, read(file), settings);
            } else {
                requireEmpty(folder);
                byte[] json = new ObjectMapper()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .writeValueAsBytes(settings);
                WholeFile.write("evaluation's settings", file, json);
            }
        } catch (IOException e) {
            throw new TomeException(
                    "The folder " + folder + " cannot be used for images: " + WholeFile.reason(e) + ".", e);
        }
    }

    private static Map<String, String> read(Path file) throws IOException {
        try {
            return new ObjectMapper().readValue(Files.readAllBytes(file), new TypeReference<>() {});
        } catch (JsonProcessingException e) {
            throw new TomeException(file + " does not hold the settings of an evaluation: choose another folder.", e);
        }
    }

    private static void requireSame(Path folder, Map<String, String> there, Map<String, String> now) {
        List<String> differences = Differences.between(there, now);
        if (!differences.isEmpty()) {
            throw new TomeException("The images in " + folder + " were made with other settings ("
                    + String.join("; ", differences) + "): choose another folder, or the same settings.");
        }
    }

    private static void requireEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found =
                    files.filter(file -> !WholeFile.isPart(file)).limit(1).toList();
            if (!found.isEmpty()) {
                throw new TomeException("The folder " + folder + " holds "
                        + found.get(0).getFileName() + " and no evaluation: choose a new folder, or an empty one.");
            }
        }
    }
}
