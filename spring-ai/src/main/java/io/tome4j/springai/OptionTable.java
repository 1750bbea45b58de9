package io.tome4j.springai;

import io.tome4j.tensor.Option;
import java.util.List;
import java.util.Locale;

/** A table of options, looked up by their names however these are spelled: Spring takes underscores out of keys of maps. */
final class OptionTable {
    private OptionTable() {}

    /**
     * An option's own name.
     *
     * @param name such as {@code max_downsample}, {@code max-downsample} or {@code maxDownsample}
     * @throws IllegalArgumentException if there is none of this name
     */
    static Option<?> find(List<Option<?>> options, String name) {
        return options.stream()
                .filter(option -> plain(option.name()).equals(plain(name)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no option '" + name + "'. There are: "
                        + String.join(", ", options.stream().map(Option::name).toList())));
    }

    private static String plain(String name) {
        return name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
    }
}
