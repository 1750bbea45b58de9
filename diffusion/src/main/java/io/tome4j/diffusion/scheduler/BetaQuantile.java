package io.tome4j.diffusion.scheduler;

/**
 * The quantile function of the symmetric beta distribution with both shapes 0.6, which is dense at both ends: the noise
 * levels of arXiv 2407.12173 lie so.
 */
final class BetaQuantile {
    private static final double SHAPE = 0.6;
    private static final double LOG_BETA = 2 * logGamma(SHAPE) - logGamma(2 * SHAPE);
    private static final int MOST_TERMS = 500;
    private static final double PRECISE = 1e-16;
    private static final double TINY = 1e-300;

    private BetaQuantile() {}

    /**
     * Below which a share of the distribution lies.
     *
     * @param share in [0, 1]
     * @return in [0, 1]
     */
    static double at(double share) {
        if (share > 0.5) {
            return 1 - at(1 - share);
        }
        double low = 0;
        double high = 0.5;
        // Halving is slow and sure; it is done a few dozen times in a run. Near 0 the relative precision counts.
        while (true) {
            double middle = (low + high) / 2;
            if (middle <= low || middle >= high) {
                return middle;
            }
            if (shareBelow(middle) < share) {
                low = middle;
            } else {
                high = middle;
            }
        }
    }

    /** The regularised incomplete beta function, by its continued fraction; {@code x} up to a half. */
    static double shareBelow(double x) {
        if (x <= 0) {
            return 0;
        }
        double front = Math.exp(SHAPE * Math.log(x) + SHAPE * Math.log1p(-x) - LOG_BETA) / SHAPE;
        double c = 1;
        double d = 1 / apart(1 - 2 * SHAPE * x / (SHAPE + 1));
        double fraction = d;
        for (int m = 1; m <= MOST_TERMS; m++) {
            double even = m * (SHAPE - m) * x / ((SHAPE + 2 * m - 1) * (SHAPE + 2 * m));
            d = 1 / apart(1 + even * d);
            c = apart(1 + even / c);
            fraction *= d * c;
            double odd = -(SHAPE + m) * (2 * SHAPE + m) * x / ((SHAPE + 2 * m) * (SHAPE + 2 * m + 1));
            d = 1 / apart(1 + odd * d);
            c = apart(1 + odd / c);
            fraction *= d * c;
            if (Math.abs(d * c - 1) < PRECISE) {
                break;
            }
        }
        return front * fraction;
    }

    private static double apart(double x) {
        return Math.abs(x) < TINY ? TINY : x;
    }

    /** By Stirling's series, after the argument was raised to where it is exact in double. */
    private static double logGamma(double x) {
        double product = 1;
        double z = x;
        while (z < 15) {
            product *= z;
            z += 1;
        }
        double r = 1 / (z * z);
        double series = (1 / 12.0 - r * (1 / 360.0 - r * (1 / 1260.0 - r * (1 / 1680.0 - r / 1188.0)))) / z;
        return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
    }
}
