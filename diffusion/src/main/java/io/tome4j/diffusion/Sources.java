package io.tome4j.diffusion;

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
        IMAGE("Init image"),
        /** What is repainted of it. */
        MASK("Mask"),
        /** Where tokens are not merged. */
        PROTECT("Protect");

        private final String title;

        Role(String title) {
            this.title = title;
        }

        /** Its name among the parameters in an image. */
        public String title() {
            return title;
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
        /** What a source image is known by. */
        public static Source of(SourceImage image) {
            return new Source(image.name(), image.sha256());
        }
    }

    public Sources {
        of = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(of));
    }

    /** The same and one more. */
    Sources with(Role role, Source source) {
        Map<Role, Source> more = new LinkedHashMap<>(of);
        more.put(role, source);
        return new Sources(more);
    }

    /** The image of a role. */
    public Optional<Source> get(Role role) {
        return Optional.ofNullable(of.get(role));
    }
}
