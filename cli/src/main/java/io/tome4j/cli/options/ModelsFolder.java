package io.tome4j.cli.options;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder of models: folders and single files, at most two levels deep, or those of A1111's web UI in its {@code
 * models/Stable-diffusion}.
 *
 * @param root where the models lie
 */
public record ModelsFolder(Path root) {
    private static final String WEB_UI = "models/Stable-diffusion";
    private static final String INDEX = "model_index.json";
    private static final String FILE_END = ".safetensors";
    private static final int DEEPEST = 3;
    private static final int MOST_SHOWN = 8;

    /**
     * @param folder of models, or the web UI's own
     * @throws TomeException if it is none
     */
    public static ModelsFolder of(Path folder) {
        Path ofWebUi = folder.resolve(WEB_UI);
        return anywhere(Files.isDirectory(ofWebUi) ? ofWebUi : folder);
    }

    /**
     * A folder with models, without a place of their own in it.
     *
     * @throws TomeException if it is none
     */
    public static ModelsFolder anywhere(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new TomeException("There is no folder " + folder + ".");
        }
        return new ModelsFolder(folder);
    }

    /**
     * All that may be a model: single files, and folders with an index.
     *
     * @throws TomeException if the folder cannot be searched
     */
    public List<Path> candidates() {
        try (Stream<Path> paths = Files.walk(root, DEEPEST)) {
            return paths.filter(path -> path.endsWith(INDEX) || path.toString().endsWith(FILE_END))
                    .map(Path::toAbsolutePath)
                    .map(path -> path.endsWith(INDEX) ? Objects.requireNonNull(path.getParent()) : path)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw unsearchable(e);
        } catch (UncheckedIOException e) {
            throw unsearchable(Objects.requireNonNull(e.getCause()));
        }
    }

    /**
     * The model that a name means: what lies here under it, with its ending or without, in whatever folder; else the name
     * itself, if it is a path or may be an id on the hub.
     *
     * @param name as users or the web UI call it, there with a hash in brackets behind
     * @throws OptionException if nothing or more than one thing goes by that name
     */
    public String resolve(String name) {
        String plain = name.replaceFirst(" \\[[0-9a-f]{8,10}]$", "");
        List<Path> all = candidates();
        Optional<Path> here = beneath(plain).or(() -> beneath(plain + FILE_END));
        if (here.filter(all::contains).isPresent()) {
            return here.get().toString();
        }
        List<Path> called = all.stream()
                .filter(path -> path.endsWith(plain) || path.endsWith(plain + FILE_END))
                .toList();
        if (called.size() == 1) {
            return called.get(0).toString();
        }
        if (called.size() > 1) {
            throw new OptionException(
                    "--model is '" + OptionException.literal(name) + "', and several in --models-dir go by that name: "
                            + shown(called) + "; name one with its folder");
        }
        if (name.contains("/") || exists(name)) {
            return name;
        }
        throw new OptionException("--model is '" + OptionException.literal(name) + "', and there is none in " + root
                + "; there are: " + (all.isEmpty() ? "none at all" : shown(all)));
    }

    private Optional<Path> beneath(String name) {
        try {
            return Optional.of(root.toAbsolutePath().resolve(name).normalize());
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static boolean exists(String name) {
        try {
            return Files.exists(Path.of(name));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private String shown(List<Path> paths) {
        List<String> names = paths.stream()
                .limit(MOST_SHOWN)
                .map(path -> OptionException.literal(
                        root.toAbsolutePath().relativize(path).toString()))
                .toList();
        return String.join(", ", names)
                + (paths.size() > MOST_SHOWN ? " and " + (paths.size() - MOST_SHOWN) + " others" : "");
    }

    private TomeException unsearchable(IOException e) {
        return new TomeException("The folder " + root + " cannot be searched: " + WholeFile.reason(e) + ".", e);
    }
}
