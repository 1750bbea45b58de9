package io.tome4j.diffusion.pixels;

import java.util.function.DoubleUnaryOperator;

/**
 * Resampling as {@code PIL.Image.resize} does it, to the bit.
 *
 * <ol>
 *   <li>Along a side, each pixel of the result is a weighted mean of those within the filter's support around its place; a
 *       filter that shrinks is as much wider.
 *   <li>Weights add up to 1 and are rounded to 22 bits behind the point, sums to whole levels from 0 to 255.
 *   <li>First along rows, then along columns, or, where that leaves less to do, first along columns (Pillow 13 decides by
 *       sizes alone); a side that keeps its length is left alone. The order shows in single levels, because both passes round.
 * </ol>
 */
public enum Resampling {
    /** The pixel nearest to the place. */
    NEAREST(0, x -> 0),
    BOX(0.5, x -> x > -0.5 && x <= 0.5 ? 1 : 0),
    BILINEAR(1, x -> Math.max(0, 1 - Math.abs(x))),
    /** Catmull-Rom: {@code a} is -0.5. */
    BICUBIC(2, Resampling::cubic),
    LANCZOS(3, x -> x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0);

    private static final int PRECISION_BITS = 22;
    private static final double CUBIC_A = -0.5;

    private final double support;

    @SuppressWarnings("ImmutableEnumChecker") // the kernels hold no state
    private final DoubleUnaryOperator kernel;

    Resampling(double support, DoubleUnaryOperator kernel) {
        this.support = support;
        this.kernel = kernel;
    }

    /** What the pixels of one side of the result are made of: for each, the first pixel and the weights from there. */
    private static final class Weights {
        private final int[] first;
        private final int[][] weights;

        Weights(int length) {
            this.first = new int[length];
            this.weights = new int[length][];
        }
    }

    private static double cubic(double value) {
        double x = Math.abs(value);
        if (x < 1) {
            return ((CUBIC_A + 2) * x - (CUBIC_A + 3)) * x * x + 1;
        }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * CUBIC_A : 0;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
    }

    /**
     * The image in another size.
     *
     * @param width at least 1
     * @param height at least 1
     */
    public Pixels resize(Pixels image, int width, int height) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("There is no image of " + width + " x " + height + " pixels");
        }
        if (image.width() == width && image.height() == height) {
            return image;
        }
        if (this == NEAREST) {
            return nearest(image, width, height);
        }
        return resize(image, 0, image.width(), 0, image.height(), width, height);
    }

    /**
     * A part of the image in another size; its edges may lie between pixels and even on each other, which gives the colours
     * there. Not with {@link #NEAREST}.
     */
    Pixels resize(Pixels image, double left, double right, double top, double bottom, int width, int height) {
        boolean sameColumns = image.width() == width && left == 0 && right == width;
        boolean sameRows = image.height() == height && top == 0 && bottom == height;
        if (sameColumns && sameRows) {
            return image;
        }
        Weights columns = weights(image.width(), left, right, width);
        Weights rows = weights(image.height(), top, bottom, height);
        if (sameColumns || sameRows) {
            return sameRows ? alongRows(image, columns) : alongColumns(image, rows);
        }
        return height < image.height() && image.height() - height > 2 * (image.width() - width)
                ? alongRows(alongColumns(image, rows), columns)
                : alongColumns(alongRows(image, columns), rows);
    }

    private static Pixels nearest(Pixels image, int width, int height) {
        int bands = image.bands();
        byte[] values = new byte[Math.multiplyExact(bands, Math.multiplyExact(width, height))];
        int[] columns = nearest(image.width(), width);
        int[] rows = nearest(image.height(), height);
        int at = 0;
        for (int row : rows) {
            for (int column : columns) {
                System.arraycopy(image.array(), (row * image.width() + column) * bands, values, at, bands);
                at += bands;
            }
        }
        return new Pixels(width, height, bands, values);
    }

    /** Places are summed up, not multiplied: the reference's rounding. */
    private static int[] nearest(int in, int out) {
        double scale = (double) in / out;
        int[] places = new int[out];
        double place = scale * 0.5;
        for (int i = 0; i < out; i++) {
            places[i] = Math.min((int) place, in - 1);
            place += scale;
        }
        return places;
    }

    private Weights weights(int in, double from, double to, int out) {
        double scale = (to - from) / out;
        double widened = Math.max(1, scale);
        double reach = support * widened;
        Weights all = new Weights(out);
        for (int i = 0; i < out; i++) {
            double center = from + (i + 0.5) * scale;
            int first = Math.max(0, (int) (center - reach + 0.5));
            int count = Math.min(in, (int) (center + reach + 0.5)) - first;
            double[] exact = new double[count];
            double sum = 0;
            for (int j = 0; j < count; j++) {
                exact[j] = kernel.applyAsDouble((j + first - center + 0.5) * (1 / widened));
                sum += exact[j];
            }
            all.first[i] = first;
            all.weights[i] = new int[count];
            for (int j = 0; j < count; j++) {
                double scaled = (sum == 0 ? exact[j] : exact[j] / sum) * (1 << PRECISION_BITS);
                all.weights[i][j] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
            }
        }
        return all;
    }

    private static Pixels alongRows(Pixels image, Weights weights) {
        int width = weights.first.length;
        int bands = image.bands();
        byte[] in = image.array();
        byte[] out = new byte[Math.multiplyExact(bands, Math.multiplyExact(width, image.height()))];
        int at = 0;
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < width; x++) {
                int from = (y * image.width() + weights.first[x]) * bands;
                for (int band = 0; band < bands; band++) {
                    out[at++] = sum(in, from + band, bands, weights.weights[x]);
                }
            }
        }
        return new Pixels(width, image.height(), bands, out);
    }

    private static Pixels alongColumns(Pixels image, Weights weights) {
        int height = weights.first.length;
        int row = image.width() * image.bands();
        byte[] in = image.array();
        byte[] out = new byte[Math.multiplyExact(row, height)];
        int at = 0;
        for (int y = 0; y < height; y++) {
            int from = weights.first[y] * row;
            for (int x = 0; x < row; x++) {
                out[at++] = sum(in, from + x, row, weights.weights[y]);
            }
        }
        return new Pixels(image.width(), height, image.bands(), out);
    }

    private static byte sum(byte[] in, int from, int step, int[] weights) {
        int sum = 1 << (PRECISION_BITS - 1);
        int at = from;
        for (int weight : weights) {
            sum += (in[at] & 0xff) * weight;
            at += step;
        }
        return (byte) Math.min(255, Math.max(0, sum >> PRECISION_BITS));
    }
}
