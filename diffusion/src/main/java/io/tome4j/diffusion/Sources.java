package io.tome4j.diffusion;

import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The images that a run takes in, by name and checksum, as an image's parameters keep them.
 *
 * @param of each by its {@link Role}, in order; a role that no image has is left out
 */
public record Sources(Map<Role, Sources.Source> of) {
    /** No image is taken in. */
    public static final Sources NONE = new Sources(Map.of());

    /** What an image is for. */
    public enum Role {
        /** What denoising begins with. */
        IMAGE("Init image", "init_image"),
        /** What is repainted of it. */
        MASK("Mask", "mask"),
        /** The regions whose tokens are not merged. */
        PROTECTION("Protect", "protect");

        private final String title;
        private final String option;

        Role(String title, String option) {
            this.title = title;
            this.option = option;
        }

        /** Its name where it is asked for, as an option is called. */
        public String option() {
            return option;
        }

        /** Its name among the parameters in an image. */
        public String title() {
            return title;
        }

        /** As it is called in a sentence. */
        private String words() {
            return switch (this) {
                case IMAGE -> "initial image";
                case MASK -> "mask";
                case PROTECTION -> "mask of what is protected";
            };
        }

        /** The name of the checksum there. */
        String hashTitle() {
            return title + " hash";
        }
    }

    /**
     * What an image is known by.
     *
     * @param name of its file, without the folder; may be empty
     * @param sha256 in hexadecimal
     */
    public record Source(String name, String sha256) {
        private SourceImage read(Role role, Path folder) {
            if (name.isEmpty()) {
                throw new TomeException("The " + role.words()
                        + " came from no file, so that it cannot be read again: its" + " SHA-256 is " + sha256 + ".");
            }
            Path file = file(role.words(), name, folder);
            SourceImage image = SourceImage.read(file);
            if (!image.sha256().equals(sha256)) {
                throw new TomeException("The " + role.words() + " " + file + " has changed: its SHA-256 is "
                        + image.sha256() + " and was " + sha256 + ".");
            }
            return image;
        }

        /** What a source image is known by. */
        public static Source of(SourceImage image) {
            return new Source(image.name(), image.sha256());
        }
    }

    public Sources {
        of = Collections.unmodifiableMap(new LinkedHashMap<>(of));
    }

    /**
     * A source's file.
     *
     * @param words what it is called in a sentence
     * @throws TomeException if it is not there
     */
    static Path file(String words, String name, Path folder) {
        if (!Path.of(name).equals(Path.of(name).getFileName())) {
            throw new TomeException("The " + words + " is called '" + name + "', which is no file's name.");
        }
        Path file = folder.resolve(name);
        if (!Files.isRegularFile(file)) {
            throw new TomeException("The " + words + " '" + name + "' is not in " + folder + ": put it there first.");
        }
        return file;
    }

    /** The same and one more. */
    Sources with(Role role, Source source) {
        Map<Role, Source> more = new LinkedHashMap<>(of);
        more.put(role, source);
        return new Sources(more);
    }

    /**
     * The start that they describe: noise, if no image is taken in.
     *
     * @param folder where their files lie
     * @throws TomeException if one has no name, is not there, or is not what it was; it is named
     */
    public Start start(Path folder) {
        Optional<SourceImage> image = get(Role.IMAGE).map(source -> source.read(Role.IMAGE, folder));
        Optional<SourceImage> mask = get(Role.MASK).map(source -> source.read(Role.MASK, folder));
        return image.map(Start::from)
                .map(start -> mask.map(start::repainting).orElse(start))
                .map(Start.class::cast)
                .orElseGet(Start::noise);
    }

    /**
     * The regions that they say are not merged; empty for none.
     *
     * @throws TomeException as {@link #start}
     */
    Optional<SourceImage> protection(Path folder) {
        return get(Role.PROTECTION).map(source -> source.read(Role.PROTECTION, folder));
    }

    /** The image of a role. */
    public Optional<Source> get(Role role) {
        return Optional.ofNullable(of.get(role));
    }
}
