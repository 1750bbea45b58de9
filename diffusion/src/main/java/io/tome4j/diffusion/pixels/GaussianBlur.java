package io.tome4j.diffusion.pixels;

/**
 * Blurring as {@code PIL.ImageFilter.GaussianBlur} does it, to the bit: three box blurs along rows, then three along
 * columns, of a width that may be between whole pixels ("extended box blur", Gwosdek et al. 2011).
 */
public final class GaussianBlur {
    private static final int PASSES = 3;
    private static final int ONE = 1 << 24;

    private GaussianBlur() {}

    /**
     * A blurred image.
     *
     * @param radius the deviation in pixels, at least 0, which changes nothing
     */
    public static Pixels of(Pixels image, double radius) {
        if (!(radius >= 0) || Double.isInfinite(radius)) {
            throw new IllegalArgumentException("A blur of radius " + radius);
        }
        if (radius == 0) {
            return image;
        }
        float box = boxRadius((float) radius);
        if (box == 0) {
            return image;
        }
        byte[] values = image.values();
        int row = image.width() * image.bands();
        for (int y = 0; y < image.height(); y++) {
            for (int band = 0; band < image.bands(); band++) {
                blur(values, y * row + band, image.bands(), image.width(), box);
            }
        }
        for (int x = 0; x < row; x++) {
            blur(values, x, row, image.height(), box);
        }
        return new Pixels(image.width(), image.height(), image.bands(), values);
    }

    /** Half the width of the boxes whose repeated blur has this deviation; in the reference's precision. */
    private static float boxRadius(float radius) {
        float variance = radius * radius / PASSES;
        float width = (float) Math.sqrt(12.0 * variance + 1.0);
        float whole = (float) Math.floor((width - 1.0) / 2.0);
        float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
        part /= 6 * (variance - (whole + 1) * (whole + 1));
        return whole + part;
    }

    /** Blurs a line in place; its ends go on beyond it. */
    private static void blur(byte[] values, int from, int step, int length, float box) {
        int radius = (int) box;
        int weight = (int) (ONE / (box * 2 + 1));
        int edgeWeight = (ONE - (radius * 2 + 1) * weight) / 2;
        int[] line = new int[length];
        int[] blurred = new int[length];
        for (int i = 0; i < length; i++) {
            line[i] = values[from + i * step] & 0xff;
        }
        int last = length - 1;
        for (int pass = 0; pass < PASSES; pass++) {
            long inside = 0;
            for (long i = -radius - 1L; i < radius; i++) {
                inside += line[(int) Math.max(0, Math.min(last, i))];
            }
            for (int i = 0; i < length; i++) {
                int before = line[Math.max(0, i - radius - 1)];
                inside += line[Math.min(last, i + radius)] - before;
                long sum = inside * weight + (long) (before + line[Math.min(last, i + radius + 1)]) * edgeWeight;
                blurred[i] = (int) ((sum + (ONE >> 1)) >> 24) & 0xff;
            }
            System.arraycopy(blurred, 0, line, 0, length);
        }
        for (int i = 0; i < length; i++) {
            values[from + i * step] = (byte) line[i];
        }
    }
}
