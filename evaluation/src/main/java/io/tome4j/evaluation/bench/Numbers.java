package io.tome4j.evaluation.bench;

import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Numbers as people read them. */
final class Numbers {
    static final String NONE = "-";

    private Numbers() {}

    /** Three digits that count: {@code 0.0123}, {@code 2.31}, {@code 118}. */
    static String seconds(double seconds) {
        int digits = seconds >= 100 ? 0 : seconds >= 10 ? 1 : seconds >= 1 ? 2 : seconds >= 0.1 ? 3 : 4;
        return String.format(Locale.ROOT, "%." + digits + "f", seconds);
    }

    static String seconds(OptionalDouble seconds) {
        return seconds.isPresent() ? seconds(seconds.getAsDouble()) : NONE;
    }

    static String bytes(long bytes) {
        return bytes >= 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f GB", bytes / 1e9)
                : String.format(Locale.ROOT, "%.0f MB", bytes / 1e6);
    }

    static String bytes(OptionalLong bytes) {
        return bytes.isPresent() ? bytes(bytes.getAsLong()) : NONE;
    }

    /** A time saved: {@code 43%}; {@code -5%} is a time lost. */
    static String percent(OptionalDouble percent) {
        return percent.isPresent() ? String.format(Locale.ROOT, "%.1f%%", percent.getAsDouble() + 0.0) : NONE;
    }

    static double rounded(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.round(value * scale) / scale;
    }
}
