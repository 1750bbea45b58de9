package io.tome4j.checkpoint;

import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * A checkpoint as diffusers saves it: a folder with {@code model_index.json} and, below it, a folder for each component
 * ({@code unet}, {@code vae}, {@code text_encoder}, {@code tokenizer}, {@code scheduler}).
 */
public final class CheckpointFolder implements Checkpoint {
    private final Path path;
    private final String variant;
    private final ModelIndex modelIndex;

    private CheckpointFolder(Path path, String variant, ModelIndex modelIndex) {
        this.path = path;
        this.variant = variant;
        this.modelIndex = modelIndex;
    }

    /** The checkpoint in a folder, with its weights in the files without a variant. */
    public static CheckpointFolder open(Path path) {
        return open(path, "");
    }

    /**
     * The checkpoint in a folder.
     *
     * @param variant which of the checkpoint's weights, such as {@code fp16}; empty for the files without one
     * @throws TomeException if there is no such folder, or no checkpoint in it
     */
    public static CheckpointFolder open(Path path, String variant) {
        if (!Files.isDirectory(path)) {
            throw new TomeException("There is no folder " + path + ".");
        }
        Path index = path.resolve(ModelIndex.FILE);
        if (!Files.exists(index)) {
            throw new TomeException("There is no checkpoint in " + path + ": it has no " + ModelIndex.FILE + ". There: "
                    + list(path) + ". tome4j reads folders as diffusers saves them (save_pretrained).");
        }
        return new CheckpointFolder(path, variant, ModelIndex.read(index));
    }

    @Override
    public Path path() {
        return path;
    }

    /** The variant whose weights are read; empty for none. */
    public String variant() {
        return variant;
    }

    @Override
    public ModelIndex modelIndex() {
        return modelIndex;
    }

    /** Whether there is a folder for this component. */
    @Override
    public boolean has(String component) {
        return Files.isDirectory(path.resolve(component));
    }

    /**
     * A component's folder.
     *
     * @param name such as {@code unet}
     * @throws TomeException if it is missing, saying what there is
     */
    @Override
    public Component component(String name) {
        Path folder = path.resolve(name);
        if (!Files.isDirectory(folder)) {
            throw new TomeException("The component '" + name + "' is missing from the checkpoint " + path
                    + ": there is no folder of this name. There: " + list(path) + ".");
        }
        return new Component(name, folder, variant, this::hasVariant);
    }

    /** Whether any component that the index names has weights of the variant. */
    private boolean hasVariant() {
        return modelIndex.components().keySet().stream().filter(this::has).anyMatch(name -> WeightFiles.find(
                        names(path.resolve(name)), variant)
                .isPresent());
    }

    /** One component of a checkpoint. */
    public static final class Component implements Checkpoint.Component {
        private final String name;
        private final Path path;
        private final String variant;
        private final BooleanSupplier variantElsewhere;

        private Component(String name, Path path, String variant, BooleanSupplier variantElsewhere) {
            this.name = name;
            this.path = path;
            this.variant = variant;
            this.variantElsewhere = variantElsewhere;
        }

        /**
         * A model that was saved by itself and not as a part of a pipeline, as transformers does.
         *
         * @throws TomeException if there is no such folder
         */
        public static Component alone(Path folder, String variant) {
            if (!Files.isDirectory(folder)) {
                throw new TomeException("There is no folder " + folder + ".");
            }
            return new Component(
                    String.valueOf(folder.toAbsolutePath().normalize().getFileName()), folder, variant, () -> false);
        }

        @Override
        public String name() {
            return name;
        }

        public Path path() {
            return path;
        }

        @Override
        public String origin() {
            return path.toString();
        }

        @Override
        public Optional<Path> folder() {
            return Optional.of(path);
        }

        /**
         * The component's config: {@code config.json}, or {@code scheduler_config.json}.
         *
         * @throws TomeException if there is none, or it is not valid
         */
        @Override
        public Config config() {
            Path scheduler = path.resolve("scheduler_config.json");
            return Config.read(Files.exists(scheduler) ? scheduler : path.resolve("config.json"));
        }

        /** Whether the component has a file of this name. */
        public boolean has(String file) {
            return Files.exists(path.resolve(file));
        }

        /**
         * A file of the component, such as {@code vocab.json}.
         *
         * @throws TomeException if it is missing, saying what there is
         */
        public Path file(String file) {
            if (!has(file)) {
                throw new TomeException(
                        "The file " + file + " is missing from " + path + ". There: " + list(path) + ".");
            }
            return path.resolve(file);
        }

        /** Whether the component's weights are those without a variant, because it has none of the one asked for. */
        boolean isPlainInsteadOfVariant() {
            return !variant.isEmpty()
                    && WeightFiles.find(names(path), variant).isEmpty()
                    && WeightFiles.find(names(path), "").isPresent();
        }

        /**
         * The component's weights, from one safetensors file or from shards. Where other components of the checkpoint have
         * weights of the variant, but this one has none, those without a variant are taken.
         *
         * @throws TomeException if there are none of this variant or only pickles, saying what there is; or if they are
         *     damaged
         */
        @Override
        public StoredTensors weights() {
            WeightFiles files =
                    WeightFiles.choose(names(path), variant, variantElsewhere.getAsBoolean(), path.toString());
            Path file = path.resolve(files.file());
            return files.sharded() ? ShardedSafetensors.open(file) : SafetensorsFile.open(file);
        }
    }

    private static List<String> names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String list(Path folder) {
        List<String> names = names(folder);
        return names.isEmpty() ? "nothing" : String.join(", ", names);
    }
}
