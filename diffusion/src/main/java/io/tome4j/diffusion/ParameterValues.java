package io.tome4j.diffusion;

import io.tome4j.tensor.Option;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The pairs of the last line, read as what they should be. */
record ParameterValues(Map<String, String> pairs) {
    boolean has(String key) {
        return pairs.containsKey(key);
    }

    String text(String key, String otherwise) {
        return pairs.getOrDefault(key, otherwise);
    }

    long integer(String key, long otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    long integer(String key) {
        if (!has(key)) {
            throw new IllegalArgumentException("there is no '" + key + "'");
        }
        try {
            return Option.wholeNumber(text(key, ""));
        } catch (NumberFormatException e) {
            throw wrong(key, "a whole number");
        }
    }

    double number(String key, double otherwise) {
        try {
            return has(key) ? Double.parseDouble(text(key, "")) : otherwise;
        } catch (NumberFormatException e) {
            throw wrong(key, "a number");
        }
    }

    <E extends Enum<E>> Optional<E> oneOf(String key, Class<E> type) {
        try {
            return has(key)
                    ? Optional.of(Enum.valueOf(type, text(key, "").toUpperCase(Locale.ROOT)))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            throw wrong(key, "one of " + List.of(type.getEnumConstants()));
        }
    }

    IllegalArgumentException wrong(String key, String expected) {
        return new IllegalArgumentException("'" + key + ": " + text(key, "") + "' should be " + expected);
    }
}
