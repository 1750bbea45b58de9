package io.tome4j.cli.options;

import io.tome4j.tensor.OptionException;
import java.util.List;

/** Options that take several values. */
public final class Lists {
    private Lists() {}

    /** @throws OptionException if an option has a value twice */
    public static void requireOnce(String option, List<?> values) {
        for (Object value : values) {
            if (values.indexOf(value) != values.lastIndexOf(value)) {
                throw new OptionException(option + " has " + value + " twice: once is enough");
            }
        }
    }
}
