package io.tome4j.evaluation.retrieval;

import io.tome4j.diffusion.Image;
import java.awt.image.BufferedImage;
import java.util.Optional;

/** Where an evaluation keeps its images, so that one that was stopped need not make them twice. */
public interface ImageStore {
    /** Keeps nothing. */
    ImageStore NONE = new ImageStore() {
        @Override
        public Optional<BufferedImage> find(String name) {
            return Optional.empty();
        }

        @Override
        public void keep(String name, Image image) {}
    };

    /**
     * An image that was kept, whole.
     *
     * @param name the same as it was kept by
     */
    Optional<BufferedImage> find(String name);

    /** @param name usable as a file's, without an ending */
    void keep(String name, Image image);
}
