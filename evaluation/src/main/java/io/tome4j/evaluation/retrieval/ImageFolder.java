package io.tome4j.evaluation.retrieval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tome4j.checkpoint.WholeFile;
import io.tome4j.diffusion.Image;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * A folder of images that were all made with the same settings: they are written in {@value #SETTINGS} beside them.
 */
public final class ImageFolder implements ImageStore {
    private static final String SETTINGS = "evaluation.json";

    private final Path folder;

    private ImageFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Opens a folder that is new, empty, or holds images made with the same settings.
     *
     * @param settings all that the images depend on, by name
     * @throws TomeException if it is another folder, and if it cannot be read or written
     */
    public static ImageFolder open(Path folder, Map<String, String> settings) {
        claim(folder, settings);
        return new ImageFolder(folder);
    }

    /**
     * Makes a folder one of these settings; it may be new, empty, or one of them already.
     *
     * @param settings all that its content depends on, by name
     * @throws TomeException if it is another folder, and if it cannot be read or written
     */
    public static void claim(Path folder, Map<String, String> settings) {
        Path file = folder.resolve(SETTINGS);
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
            throw new TomeException("The folder " + folder + " cannot be used for images: " + e + ".", e);
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
        Set<String> names = new LinkedHashSet<>(now.keySet());
        names.addAll(there.keySet());
        Map<String, String> differences = new LinkedHashMap<>();
        for (String name : names) {
            String before = there.getOrDefault(name, "none");
            String wanted = now.getOrDefault(name, "none");
            if (!before.equals(wanted)) {
                differences.put(name, name + " was " + before + " and is now " + wanted);
            }
        }
        if (!differences.isEmpty()) {
            throw new TomeException("The images in " + folder + " were made with other settings ("
                    + String.join("; ", differences.values()) + "): choose another folder, or the same settings.");
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

    @Override
    public Optional<BufferedImage> find(String name) {
        Path file = file(name);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(ImageIO.read(file.toFile()));
        } catch (IOException | RuntimeException e) {
            return Optional.empty(); // a damaged image is made anew
        }
    }

    @Override
    public void keep(String name, Image image) {
        image.save(file(name));
    }

    private Path file(String name) {
        return folder.resolve(name + ".png");
    }
}
