package io.tome4j.evaluation.compare;

import java.awt.image.BufferedImage;
import java.util.function.ToDoubleBiFunction;

/**
 * A measure of how near two pictures of one size are.
 *
 * @param name what it is called: {@code psnr}
 * @param function from the unmerged picture and the merged one
 */
public record PictureMeasure(String name, ToDoubleBiFunction<BufferedImage, BufferedImage> function) {
    /**
     * The peak signal-to-noise ratio in decibels over all channels of all pixels, {@code 10 log10(255^2 / MSE)};
     * infinite for equal pictures.
     */
    public static final PictureMeasure PSNR = new PictureMeasure("psnr", PictureMeasure::psnr);

    double between(BufferedImage unmerged, BufferedImage merged) {
        return function.applyAsDouble(unmerged, merged);
    }

    private static double psnr(BufferedImage a, BufferedImage b) {
        double squares = 0;
        for (int y = 0; y < a.getHeight(); y++) {
            for (int x = 0; x < a.getWidth(); x++) {
                for (int shift = 16; shift >= 0; shift -= 8) {
                    int apart = (a.getRGB(x, y) >> shift & 0xff) - (b.getRGB(x, y) >> shift & 0xff);
                    squares += apart * apart;
                }
            }
        }
        return 10 * Math.log10(255.0 * 255.0 * 3 * a.getWidth() * a.getHeight() / squares);
    }
}
