package io.tome4j.tensor;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What was chosen of some options; all others have their defaults. Immutable. Equal where the same was chosen. */
public final class OptionValues {
    /** Nothing was chosen. */
    public static final OptionValues DEFAULTS = new OptionValues(Map.of());

    private final Map<Option<?>, Object> chosen;

    private OptionValues(Map<Option<?>, Object> chosen) {
        this.chosen = chosen;
    }

    /** Whether a value was chosen; it may be the default. */
    public boolean has(Option<?> option) {
        return chosen.containsKey(option);
    }

    /** The value chosen, or the default. */
    @SuppressWarnings("unchecked") // with() puts values of the option's type
    public <T> T get(Option<T> option) {
        Object value = chosen.get(option);
        return value == null ? option.defaultValue() : (T) value;
    }

    /**
     * The same with one value chosen anew.
     *
     * @throws OptionException if it is out of the option's range
     */
    public <T> OptionValues with(Option<T> option, T value) {
        Map<Option<?>, Object> changed = new HashMap<>(chosen);
        changed.put(option, option.require(value));
        return new OptionValues(changed);
    }

    /** The same with the default of one option. */
    public OptionValues without(Option<?> option) {
        if (!has(option)) {
            return this;
        }
        Map<Option<?>, Object> changed = new HashMap<>(chosen);
        changed.remove(option);
        return new OptionValues(changed);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof OptionValues values && values.chosen.equals(chosen);
    }

    @Override
    public int hashCode() {
        return chosen.hashCode();
    }
}
