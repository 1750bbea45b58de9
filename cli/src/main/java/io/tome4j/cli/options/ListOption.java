package io.tome4j.cli.options;

import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.List;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Several values of one of the library's options, with commas between them: {@code --methods tome,todo}.
 *
 * @param <T> what each is
 */
public final class ListOption<T> {
    private final Option<T> option;
    private final OptionSpec spec;

    public ListOption(Option<T> option, String description) {
        this.option = option;
        this.spec = OptionSpec.builder(name(option))
                .type(List.class)
                .auxiliaryTypes(String.class)
                .splitRegex(",")
                .paramLabel(option.takes())
                .description(description)
                .build();
    }

    private static String name(Option<?> option) {
        return OptionNames.of(option) + "s";
    }

    /** The option as picocli takes it. */
    OptionSpec spec() {
        return spec;
    }

    /**
     * What was given; empty for nothing.
     *
     * @throws OptionException if a text is none of the option's values, or one is there twice
     */
    public List<T> values() {
        List<String> given = spec.getValue();
        if (given == null) {
            return List.of();
        }
        Lists.requireOnce(name(option), given);
        return given.stream().map(option::parse).toList();
    }
}
