package io.tome4j.evaluation.quality;

import io.tome4j.diffusion.Image;
import java.awt.image.BufferedImage;
import java.util.Optional;

/** Where an evaluation keeps its images, so that one that was stopped need not make them twice. */
public interface ShotStore {
    /**
     * A finished image.
     *
     * @param image the image
     * @param times what it took
     * @param map which tokens were merged, if that was recorded
     */
    record Kept(BufferedImage image, Times times, Optional<KeptMap> map) {}

    /**
     * A merge map, drawn.
     *
     * @param image the map
     * @param block the block's name in the model
     * @param step the step, from 0
     * @param tokens tokens before merging
     * @param groups tokens after merging
     */
    record KeptMap(BufferedImage image, String block, int step, int tokens, int groups) {}

    /** Whether a image is there; {@link #find} may still find it damaged. */
    boolean has(Shot shot);

    /** A image that was kept, whole. */
    Optional<Kept> find(Shot shot);

    /**
     * Keeps a image.
     *
     * @return what will be found from now on
     */
    Kept keep(Shot shot, Image image, Times times, Optional<KeptMap> map);
}
