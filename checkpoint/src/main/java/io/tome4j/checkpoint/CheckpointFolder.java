package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A checkpoint in the layout of {@code diffusers}: {@code model_index.json}, and a folder for each component with its
 * config and its weights.
 */
public final class CheckpointFolder {
    /** {@code diffusion_pytorch_model[.variant].safetensors[.index[.variant].json]} and the same of {@code model}. */
    private static final Pattern WEIGHTS =
            Pattern.compile("(diffusion_pytorch_model|model)(?:\\.(?<variant>(?!safetensors)[^.]+))?\\.safetensors");

    private static final Set<String> PIPELINES = Set.of("StableDiffusionPipeline");

    private final Path path;
    private final Config index;

    private CheckpointFolder(Path path, Config index) {
        this.path = path;
        this.index = index;
    }

    /**
     * Opens a folder.
     *
     * @throws TomeException if it is not there, is no checkpoint, or is one of a pipeline that is not supported
     */
    public static CheckpointFolder open(Path path) {
        if (!Files.isDirectory(path)) {
            throw new TomeException("There is no folder " + path + ".");
        }
        Path file = path.resolve("model_index.json");
        if (!Files.exists(file)) {
            throw new TomeException("The folder " + path + " is no checkpoint in the layout of diffusers: it has no"
                    + " model_index.json. It holds: " + listing(path)
                    + ". (A single-file checkpoint can be converted with diffusers' from_single_file and"
                    + " save_pretrained.)");
        }
        Config index = Config.read(file);
        String pipeline = index.text("_class_name", "");
        if (!PIPELINES.contains(pipeline)) {
            throw index.unsupported("_class_name", String.join(", ", PIPELINES));
        }
        return new CheckpointFolder(path, index);
    }

    public Path path() {
        return path;
    }

    /** {@code model_index.json}. */
    public Config index() {
        return index;
    }

    /**
     * A component's folder.
     *
     * @param name as in {@code unet}
     * @throws TomeException if it is missing
     */
    public Path folder(String name) {
        Path folder = path.resolve(name);
        if (!Files.isDirectory(folder)) {
            throw new TomeException("The checkpoint " + path + " has no folder '" + name + "'; it holds: "
                    + listing(path) + ". It is incomplete, or of another kind of pipeline.");
        }
        return folder;
    }

    /**
     * A component's config.
     *
     * @param file its file's name, {@code config.json} for models
     * @throws TomeException if folder or file is missing or is not JSON
     */
    public Config config(String component, String file) {
        return Config.read(folder(component).resolve(file));
    }

    /**
     * A component's tensors, from one file or several.
     *
     * @param variant which set of files, such as {@code fp16}; empty for the plain one
     * @throws TomeException if there are none, none of this variant, or they are damaged
     */
    public Weights.Source weights(String component, String variant) {
        Path folder = folder(component);
        for (String stem : List.of("diffusion_pytorch_model", "model")) {
            Path single = folder.resolve(stem + (variant.isEmpty() ? "" : "." + variant) + ".safetensors");
            if (Files.exists(single)) {
                return SafetensorsFile.open(single);
            }
            Path sharded =
                    folder.resolve(stem + ".safetensors.index" + (variant.isEmpty() ? "" : "." + variant) + ".json");
            if (Files.exists(sharded)) {
                return ShardedSafetensors.open(sharded);
            }
        }
        throw new TomeException(noWeights(folder, variant));
    }

    private static String noWeights(Path folder, String variant) {
        Set<String> variants = new TreeSet<>();
        boolean plain = false;
        boolean pickles = false;
        for (String name : names(folder)) {
            Matcher matcher = WEIGHTS.matcher(name);
            if (matcher.matches()) {
                String found = matcher.group("variant");
                plain |= found == null;
                if (found != null) {
                    variants.add(found.replaceFirst("-\\d+-of-\\d+$", ""));
                }
            }
            pickles |= name.endsWith(".bin") || name.endsWith(".ckpt") || name.endsWith(".pt");
        }
        String what = variant.isEmpty() ? "no weights" : "no weights of the variant '" + variant + "'";
        String start = "There are " + what + " in " + folder + ": ";
        if (plain || !variants.isEmpty()) {
            List<String> there = new ArrayList<>();
            if (plain) {
                there.add("the plain ones (no variant)");
            }
            variants.forEach(v -> there.add("the variant '" + v + "' (--variant " + v + ")"));
            return start + "there are " + String.join(", ", there) + ".";
        }
        if (pickles) {
            return start + "it has only pickle files, which can run code when they are read; tome4j never reads them."
                    + " Convert them with save_pretrained(safe_serialization=True) of diffusers.";
        }
        return start + "it holds " + listing(folder) + ".";
    }

    private static List<String> names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String listing(Path folder) {
        List<String> names = names(folder);
        return names.isEmpty() ? "nothing" : String.join(", ", names.subList(0, Math.min(12, names.size())));
    }
}
