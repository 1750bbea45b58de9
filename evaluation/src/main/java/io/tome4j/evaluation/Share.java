package io.tome4j.evaluation;

/**
 * A share of successes, and where the true one lies: the 95% interval of Wilson (1927, J. Am. Stat. Assoc. 22, 209).
 *
 * @param value successes by trials, in [0, 1]
 * @param low the interval's lower end
 * @param high the interval's upper end
 */
public record Share(double value, double low, double high) {
    /** Of the standard normal distribution, 95% lies within this distance of its mean. */
    private static final double Z = 1.959963984540054;

    /** @throws IllegalArgumentException if there are no trials, or more successes than trials */
    public static Share of(int successes, int trials) {
        if (trials < 1 || successes < 0 || successes > trials) {
            throw new IllegalArgumentException(successes + " successes in " + trials + " trials cannot be");
        }
        double p = (double) successes / trials;
        double z2 = Z * Z / trials;
        double middle = (p + z2 / 2) / (1 + z2);
        double half = Z / (1 + z2) * Math.sqrt(p * (1 - p) / trials + z2 / (4.0 * trials));
        return new Share(p, Math.max(0, middle - half), Math.min(1, middle + half));
    }
}
