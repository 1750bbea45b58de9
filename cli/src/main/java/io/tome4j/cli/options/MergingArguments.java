package io.tome4j.cli.options;

import io.tome4j.evaluation.run.Savings;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What saves time as a user writes it on the command line. */
public final class MergingArguments {
    private MergingArguments() {}

    /** The arguments that save time so. */
    public static String of(Savings savings) {
        return Stream.concat(
                        Stream.of(of(savings.merging())),
                        savings.changed().stream().map(option -> argument(option, savings.text(option))))
                .collect(Collectors.joining(" "));
    }

    /** The arguments that make {@link MergingOptions} these options; those left out are at their defaults. */
    public static String of(ToMeOptions options) {
        if (!options.merges()) {
            return "--merging off";
        }
        return ToMeOptions.OPTIONS.stream()
                .filter(option -> option.equals(ToMeOptions.RATIO) || !options.isUsual(option))
                .map(option -> argument(option, options.text(option)))
                .collect(Collectors.joining(" "));
    }

    private static String argument(Option<?> option, String text) {
        String name = OptionNames.of(option);
        if (!option.isFlag()) {
            return name + " " + text;
        }
        return Boolean.parseBoolean(text) ? name : name.replaceFirst("^--", "--no-");
    }
}
