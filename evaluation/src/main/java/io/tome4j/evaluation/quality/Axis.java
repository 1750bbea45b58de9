package io.tome4j.evaluation.quality;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A scale with round numbers on it.
 *
 * @param low its lower end
 * @param high its upper end
 * @param step between two marks: 1, 2 or 5 times a power of ten
 */
record Axis(double low, double high, double step) {
    private static final int MARKS = 5;
    private static final double MARGIN = 0.06;

    /** Holds all the values, with a margin. */
    static Axis around(double least, double most) {
        double span = most > least ? most - least : Math.max(Math.abs(most) * 0.1, 1e-6);
        double magnitude = Math.pow(10, Math.floor(Math.log10(span / MARKS)));
        double step = magnitude;
        for (int times : new int[] {2, 5, 10}) {
            if (span / step > MARKS) {
                step = times * magnitude;
            }
        }
        return new Axis(least - MARGIN * span, most + MARGIN * span, step);
    }

    /** Where a value lies, from 0 to 1. */
    double place(double value) {
        return (value - low) / (high - low);
    }

    /** The round numbers. */
    List<Double> marks() {
        List<Double> marks = new ArrayList<>();
        for (long i = (long) Math.ceil(low / step); i * step <= high; i++) {
            marks.add(i * step);
        }
        return marks;
    }

    /** A mark with as many digits as it takes. */
    String text(double mark) {
        int digits = Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
        return String.format(Locale.ROOT, "%." + digits + "f", mark + 0.0);
    }
}
