package io.tome4j.cli.options;

import io.tome4j.tensor.Option;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The options of one of the library's tables on the command line. A flag that is on by default can be turned off:
 * {@code --no-merge-attn}.
 */
final class TableOptions {
    private final Map<Option<?>, OptionSpec> specs = new LinkedHashMap<>();

    /** How values take an option's text. */
    @FunctionalInterface
    interface Choice<V> {
        V choose(V values, Option<?> option, String text);
    }

    /** @param defaults what the help says an option is where it is not given; empty for nothing */
    TableOptions(Collection<Option<?>> options, Function<Option<?>, String> defaults) {
        options.forEach(option -> specs.put(option, spec(option, defaults.apply(option))));
    }

    private static OptionSpec spec(Option<?> option, String usually) {
        OptionSpec.Builder spec = OptionSpec.builder(OptionNames.all(option))
                .description(
                        usually.isEmpty()
                                ? option.description()
                                : option.description().replaceFirst("\\.$", "") + " (default: " + usually + ").");
        return option.isFlag()
                ? spec.type(Boolean.class).arity("0").negatable(isOn(option)).build()
                : spec.type(String.class).paramLabel(option.takes()).build();
    }

    private static boolean isOn(Option<?> flag) {
        return flag.defaultValue().equals(true);
    }

    /** What an option usually is, as the help says it: a flag is on, or nothing is said. */
    static String usually(Option<?> option, String text) {
        return option.isFlag() ? isOn(option) ? "on" : "" : text;
    }

    /** The options as picocli takes them. */
    List<OptionSpec> specs() {
        return List.copyOf(specs.values());
    }

    /** What was given of an option, which {@link Option#parse} reads. */
    Optional<String> text(Option<?> option) {
        return Optional.ofNullable(specs.get(option))
                .flatMap(spec -> Optional.ofNullable(spec.<Object>getValue()))
                .map(String::valueOf);
    }

    /**
     * Values with all that was given.
     *
     * @throws io.tome4j.tensor.OptionException if a text is none of its option, or a value is out of its range
     */
    <V> V applyTo(V values, Choice<V> choice) {
        V chosen = values;
        for (Option<?> option : specs.keySet()) {
            Optional<String> text = text(option);
            if (text.isPresent()) {
                chosen = choice.choose(chosen, option, text.get());
            }
        }
        return chosen;
    }
}
