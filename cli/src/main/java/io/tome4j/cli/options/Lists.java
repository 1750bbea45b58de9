package io.tome4j.cli.options;

import java.util.List;

/** Options that take several values. */
public final class Lists {
    private Lists() {}

    /** @throws IllegalArgumentException if an option has a value twice */
    public static void requireOnce(String option, List<?> values) {
        for (Object value : values) {
            if (values.indexOf(value) != values.lastIndexOf(value)) {
                throw new IllegalArgumentException(option + " has " + value + " twice: once is enough");
            }
        }
    }
}
