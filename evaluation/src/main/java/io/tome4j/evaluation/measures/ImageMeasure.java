package io.tome4j.evaluation.measures;

import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.ToDoubleBiFunction;

/**
 * A measure of how near two images of one size are. Those that read a network from a file hold it until they are
 * closed; the others need no closing.
 *
 * @param name what it is called: {@code psnr}
 * @param unit what it is measured in: {@code dB}; empty for a plain number
 * @param better which values are better
 * @param smallestSide the pixels that a side must have at least
 * @param function from the unmerged image and the merged one, which have the same size
 * @param closing frees what the function holds
 */
public record ImageMeasure(
        String name,
        String unit,
        Better better,
        int smallestSide,
        ToDoubleBiFunction<BufferedImage, BufferedImage> function,
        Runnable closing)
        implements AutoCloseable {
    /** Which values of a measure are better. */
    public enum Better {
        HIGHER,
        LOWER
    }

    /**
     * The peak signal-to-noise ratio in decibels over all channels of all pixels, {@code 10 log10(255^2 / MSE)};
     * infinite for equal images.
     */
    public static final ImageMeasure PSNR =
            new ImageMeasure("psnr", "dB", Better.HIGHER, 1, ImageMeasure::psnr, () -> {});

    /**
     * The mean structural similarity over all channels, up to 1 for equal images (Wang et al., "Image Quality
     * Assessment: From Error Visibility to Structural Similarity", 2004): with their Gaussian window of 11 x 11 pixels and
     * standard deviation 1.5, where it lies wholly in the image.
     */
    public static final ImageMeasure SSIM = new ImageMeasure(
            "ssim", "", Better.HIGHER, StructuralSimilarity.WINDOW, StructuralSimilarity::ssim, () -> {});

    /**
     * Structural similarity at five scales, up to 1 for equal images (Wang et al., "Multi-Scale Structural Similarity
     * for Image Quality Assessment", 2003), as torchmetrics computes it; for images of 176 x 176 pixels and more.
     */
    public static final ImageMeasure MS_SSIM = new ImageMeasure(
            "ms_ssim",
            "",
            Better.HIGHER,
            StructuralSimilarity.SMALLEST_OF_FIVE_SCALES,
            StructuralSimilarity::msSsim,
            () -> {});

    /** A measure of which higher values are better, without unit, limits and anything to close. */
    public ImageMeasure(String name, ToDoubleBiFunction<BufferedImage, BufferedImage> function) {
        this(name, "", Better.HIGHER, 1, function, () -> {});
    }

    /**
     * A learned perceptual distance, LPIPS (arXiv 1801.03924): 0 for equal images. Its network and weights come from a
     * file, as {@code torch.jit.trace(lpips.LPIPS(net="alex"), (x, x)).save(file)} makes it.
     *
     * @param network a TorchScript file: from two batches {@code [N, 3, H, W]} in [-1, 1], a number for each pair; the
     *     size is that of the images
     * @throws TomeException if it cannot be read; and when it is asked, if it gives anything else
     */
    public static ImageMeasure lpips(Path network) {
        Lpips lpips = new Lpips(TorchScript.open(network));
        return new ImageMeasure("lpips", "", Better.LOWER, 1, lpips::between, lpips::close);
    }

    /**
     * Asks the measure.
     *
     * @param unmerged the image to compare with
     * @param merged an image of the same size; alpha is passed over in both
     * @throws TomeException if the images' sizes differ, they are too small, or it gives no number
     */
    public double between(BufferedImage unmerged, BufferedImage merged) {
        if (unmerged.getWidth() != merged.getWidth() || unmerged.getHeight() != merged.getHeight()) {
            throw new TomeException("Images of " + size(unmerged) + " and " + size(merged)
                    + " pixels cannot be compared: they must have the same size.");
        }
        if (!fits(unmerged.getWidth(), unmerged.getHeight())) {
            throw new TomeException(title() + " needs images of " + smallestSide + " x " + smallestSide
                    + " pixels or more; these have " + size(unmerged) + ".");
        }
        double value = function.applyAsDouble(unmerged, merged);
        if (Double.isNaN(value)) {
            throw new TomeException(
                    title() + " says nothing of these images: what was computed is no number. They are not"
                            + " to be scored by it.");
        }
        return value;
    }

    /** Whether images of a size are large enough. */
    public boolean fits(int width, int height) {
        return Math.min(width, height) >= smallestSide;
    }

    /** What to call it in a heading: {@code MS-SSIM}. */
    public String title() {
        return name.toUpperCase(Locale.ROOT).replace('_', '-');
    }

    /** A value with its unit, in as many digits as tell something: {@code 31.42 dB}, {@code 0.9731}. */
    public String shown(double value) {
        String number = Double.isInfinite(value)
                ? "infinite"
                : String.format(Locale.ROOT, Math.abs(value) < 2 ? "%.4f" : "%.2f", value);
        return unit.isEmpty() || Double.isInfinite(value) ? number : number + " " + unit;
    }

    @Override
    public void close() {
        closing.run();
    }

    private static String size(BufferedImage image) {
        return image.getWidth() + " x " + image.getHeight();
    }

    private static double psnr(BufferedImage a, BufferedImage b) {
        double squares = 0;
        for (int y = 0; y < a.getHeight(); y++) {
            for (int x = 0; x < a.getWidth(); x++) {
                int first = a.getRGB(x, y);
                int second = b.getRGB(x, y);
                for (int shift = 16; shift >= 0; shift -= 8) {
                    int apart = (first >> shift & 0xff) - (second >> shift & 0xff);
                    squares += apart * apart;
                }
            }
        }
        return 10 * Math.log10(255.0 * 255.0 * 3 * a.getWidth() * a.getHeight() / squares);
    }
}
