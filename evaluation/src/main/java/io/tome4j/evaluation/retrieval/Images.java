package io.tome4j.evaluation.retrieval;

import io.tome4j.emoji.Motifs;
import io.tome4j.tensor.OptionException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;

/** Images made smaller. */
final class Images {
    private Images() {}

    /**
     * @throws IllegalArgumentException if images of this size cannot be compared with the motifs' thumbnails; the
     *     message begins with {@code width is}
     */
    static void requireComparable(int width, int height) {
        if (width != height || width == 0 || width % Motifs.THUMBNAIL != 0) {
            throw new OptionException("{width} is " + width + " and the height " + height
                    + ": images are looked up by thumbnails of " + Motifs.THUMBNAIL + " x " + Motifs.THUMBNAIL
                    + " pixels, so both must be the same multiple of " + Motifs.THUMBNAIL);
        }
    }

    /**
     * Each pixel the mean of those it stands for, of the sRGB values as they are.
     *
     * @param side width and height of the result, a divisor of both of the image's
     */
    static BufferedImage averaged(BufferedImage image, int side) {
        int boxWidth = image.getWidth() / side;
        int boxHeight = image.getHeight() / side;
        int pixelsInBox = boxWidth * boxHeight;
        BufferedImage small = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        int[] box = new int[pixelsInBox];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                image.getRGB(x * boxWidth, y * boxHeight, boxWidth, boxHeight, box, 0, boxWidth);
                int r = 0;
                int g = 0;
                int b = 0;
                for (int rgb : box) {
                    r += rgb >> 16 & 0xff;
                    g += rgb >> 8 & 0xff;
                    b += rgb & 0xff;
                }
                small.setRGB(x, y, mean(r, pixelsInBox) << 16 | mean(g, pixelsInBox) << 8 | mean(b, pixelsInBox));
            }
        }
        return small;
    }

    private static int mean(int sum, int count) {
        return (int) Math.rint((double) sum / count);
    }

    /** Averaged where the side divides the image's, else interpolated. */
    static BufferedImage scaled(BufferedImage image, int side) {
        if (image.getWidth() % side == 0 && image.getHeight() % side == 0) {
            return averaged(image, side);
        }
        BufferedImage scaled = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = scaled.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
            graphics.drawImage(image, 0, 0, side, side, null);
        } finally {
            graphics.dispose();
        }
        return scaled;
    }
}
