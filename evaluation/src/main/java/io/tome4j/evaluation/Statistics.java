package io.tome4j.evaluation;

import java.util.Arrays;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * What a sample says of what it was drawn from: mean and median, each with a 95% interval by the percentile bootstrap
 * (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
 *
 * @param count how many numbers there are
 * @param unbounded how many more were infinite, such as the PSNR of equal images; they count nowhere else
 * @param mean NaN if there are no numbers
 * @param meanInterval empty for fewer than two numbers
 * @param median NaN if there are no numbers
 * @param medianInterval empty for fewer than two numbers
 */
public record Statistics(
        int count, int unbounded, double mean, Interval meanInterval, double median, Interval medianInterval) {
    private static final int RESAMPLES = 4_000;
    private static final long SEED = 2303_17604L; // any, but always the same: the same numbers, the same interval

    /**
     * Where the true value lies with 95% confidence.
     *
     * @param low NaN if nothing can be said
     * @param high NaN if nothing can be said
     */
    public record Interval(double low, double high) {
        public static final Interval UNKNOWN = new Interval(Double.NaN, Double.NaN);

        /** Whether anything can be said. */
        public boolean isKnown() {
            return !Double.isNaN(low);
        }
    }

    /** @param values infinite ones are only counted */
    public static Statistics of(double... values) {
        double[] finite = Arrays.stream(values).filter(Double::isFinite).toArray();
        return new Statistics(
                finite.length,
                values.length - finite.length,
                mean(finite),
                interval(finite, Statistics::mean),
                Quantiles.median(finite),
                interval(finite, Quantiles::median));
    }

    private static Interval interval(double[] values, ToDoubleFunction<double[]> statistic) {
        if (values.length < 2) {
            return Interval.UNKNOWN;
        }
        Random random = new Random(SEED); // specified to the bit, so the same on every machine
        double[] results = new double[RESAMPLES];
        double[] resample = new double[values.length];
        for (int i = 0; i < RESAMPLES; i++) {
            for (int j = 0; j < resample.length; j++) {
                resample[j] = values[random.nextInt(values.length)];
            }
            results[i] = statistic.applyAsDouble(resample);
        }
        return new Interval(Quantiles.quantile(0.025, results), Quantiles.quantile(0.975, results));
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
