package io.tome4j.evaluation;

import java.util.Arrays;
import java.util.Collection;

/** Quantiles of a sample, interpolated linearly between the two numbers around their place (type 7 of Hyndman and Fan). */
public final class Quantiles {
    private Quantiles() {}

    /** The number in the middle, or the mean of the two there; NaN for none. */
    public static double median(double... values) {
        return quantile(0.5, values);
    }

    /** The number in the middle, or the mean of the two there; NaN for none. */
    public static double median(Collection<Double> values) {
        return quantile(0.5, values);
    }

    /**
     * The number below which a share of the sample lies.
     *
     * @param share from 0 (the smallest number) to 1 (the largest)
     * @param values in any order; they are left as they are
     * @return NaN for no values
     */
    public static double quantile(double share, double... values) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** As {@link #quantile(double, double...)}. */
    public static double quantile(double share, Collection<Double> values) {
        return quantile(share, values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
