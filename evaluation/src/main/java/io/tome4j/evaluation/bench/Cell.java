package io.tome4j.evaluation.bench;

import java.util.Locale;

/**
 * One number of the table.
 *
 * @param resolution rows and columns of the images in pixels
 * @param batch images made at a time; with guidance the UNet runs on twice as many
 * @param variant how attention is computed, and whether tokens are merged
 * @param ratio the share of tokens merged away; 0 where nothing is merged
 */
public record Cell(int resolution, int batch, Variant variant, double ratio) {
    /** One line for people: {@code 512 px, batch 2, tome+efficient 0.5}. */
    public String describe() {
        return String.format(
                Locale.ROOT, "%d px, batch %d, %s%s", resolution, batch, variant, variant.merges() ? " " + ratio : "");
    }
}
