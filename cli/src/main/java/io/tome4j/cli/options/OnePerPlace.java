package io.tome4j.cli.options;

import io.tome4j.tensor.OptionException;
import java.util.List;

/**
 * Values of options that go with another one, which may be repeated: one for all of its places, or one for each.
 *
 * @param places how often the other option is given
 * @param words what it gives, in the plural
 */
record OnePerPlace(int places, String words) {
    /**
     * The value for a place.
     *
     * @param usual where none is given
     * @param option its name
     * @throws OptionException if there are neither one nor as many as places
     */
    <T> T of(List<T> values, int place, T usual, String option) {
        if (values.size() > 1 && values.size() != places) {
            throw new OptionException("{" + option + "} is given " + values.size() + " times for " + places + " "
                    + words + ": give one for all, or one for each");
        }
        return values.isEmpty() ? usual : values.get(values.size() == 1 ? 0 : place);
    }
}
