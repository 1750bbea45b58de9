package io.tome4j.evaluation.retrieval;

import java.awt.image.BufferedImage;

/** Colours in CIE 1976 L*a*b* with the white point D65, where equal distances look about equally large (CIE 15:2004). */
final class Lab {
    /** The ends of the linear piece near black, (6/29)^3, and its slope, 1 / (3 (6/29)^2). */
    private static final double EPSILON = 216.0 / 24389;

    private static final double SLOPE = 841.0 / 108;
    private static final double OFFSET = 4.0 / 29;

    /** D65; Y is 1. */
    private static final double WHITE_X = 0.95047;

    private static final double WHITE_Z = 1.08883;

    private static final double[] LINEAR = linear();

    private Lab() {}

    /** @return L*, a* and b* of each pixel, row by row: {@code [height * width * 3]} */
    static float[] of(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        int[] pixels = image.getRGB(0, 0, width, height, new int[width * height], 0, width);
        float[] lab = new float[3 * pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            convert(pixels[i], lab, 3 * i);
        }
        return lab;
    }

    /**
     * How different two images of one size look, the mean of their pixels' colour differences: the distance in L*a*b* (CIE
     * 1976), of which 2.3 can just be seen.
     */
    static double difference(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i += 3) {
            double l = a[i] - b[i];
            double reds = a[i + 1] - b[i + 1];
            double yellows = a[i + 2] - b[i + 2];
            sum += Math.sqrt(l * l + reds * reds + yellows * yellows);
        }
        return sum / (a.length / 3);
    }

    private static void convert(int rgb, float[] lab, int at) {
        double r = LINEAR[rgb >> 16 & 0xff];
        double g = LINEAR[rgb >> 8 & 0xff];
        double b = LINEAR[rgb & 0xff];
        double x = compressed((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / WHITE_X);
        double y = compressed(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
        double z = compressed((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / WHITE_Z);
        lab[at] = (float) (116 * y - 16);
        lab[at + 1] = (float) (500 * (x - y));
        lab[at + 2] = (float) (200 * (y - z));
    }

    private static double compressed(double t) {
        return t > EPSILON ? Math.cbrt(t) : SLOPE * t + OFFSET;
    }

    /** Of each sRGB value its share of light (IEC 61966-2-1). */
    private static double[] linear() {
        double[] linear = new double[256];
        for (int i = 0; i < linear.length; i++) {
            double c = i / 255.0;
            linear[i] = c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
        }
        return linear;
    }
}
