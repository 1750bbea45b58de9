package io.tome4j.evaluation.retrieval;

import io.tome4j.emoji.Motifs;
import java.awt.image.BufferedImage;

/**
 * The thumbnails of all motifs, to find those that an image looks like: the distance is the mean squared error of
 * thumbnails of 64 x 64 pixels in {@link Lab}.
 */
public final class MotifBank {
    private final float[][] thumbnails; // [motifs][64 * 64 * 3]

    private MotifBank(float[][] thumbnails) {
        this.thumbnails = thumbnails;
    }

    /**
     * What an image was found to be.
     *
     * @param rank how many motifs are nearer than the one asked for: 0 if none is
     * @param nearest the index of the nearest motif; the one asked for, if no other is nearer
     * @param difference from the thumbnail of the one asked for, the mean colour difference of its pixels (CIE 1976)
     */
    public record Match(int rank, int nearest, double difference) {}

    /** The bank of all motifs; holds about 80 MB. */
    public static MotifBank of(Motifs motifs) {
        float[][] thumbnails = new float[motifs.all().size()][];
        for (int i = 0; i < thumbnails.length; i++) {
            thumbnails[i] = Lab.of(motifs.thumbnail(i));
        }
        return new MotifBank(thumbnails);
    }

    /**
     * Says before images are made whether they can be looked up.
     *
     * @throws IllegalArgumentException if they are not square, or no multiple of 64 pixels; the message begins with
     *     {@code width is}
     */
    public static void requireComparable(int width, int height) {
        Images.requireComparable(width, height);
    }

    /**
     * Looks an image up.
     *
     * @param image square, its side a multiple of 64 pixels
     * @param wanted the index of the motif that it should show
     * @throws IllegalArgumentException if the image has another size
     */
    public Match match(BufferedImage image, int wanted) {
        Images.requireComparable(image.getWidth(), image.getHeight());
        float[] thumbnail = Lab.of(Images.averaged(image, Motifs.THUMBNAIL));
        double limit = squaredError(thumbnail, thumbnails[wanted]);
        int rank = 0;
        int nearest = wanted;
        double least = limit;
        for (int i = 0; i < thumbnails.length; i++) {
            double error = squaredError(thumbnail, thumbnails[i]);
            if (error < limit) {
                rank++;
            }
            if (error < least) {
                least = error;
                nearest = i;
            }
        }
        return new Match(rank, nearest, Lab.difference(thumbnail, thumbnails[wanted]));
    }

    private static double squaredError(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            float difference = a[i] - b[i];
            sum += difference * difference;
        }
        return sum;
    }
}
