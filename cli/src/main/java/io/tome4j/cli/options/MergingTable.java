package io.tome4j.cli.options;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMeOptions.Mode;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.OptionSpec;

/** The options of {@link ToMeOptions#OPTIONS} on the command line, and a short form of one of them. */
public final class MergingTable {
    private final TableOptions table;
    private final OptionSpec tomesd = OptionSpec.builder("--tomesd")
            .type(Boolean.class)
            .arity("0")
            .description("Short for --mode tomesd.")
            .build();

    /** @param usual what the help says the options are where they are not given */
    MergingTable(ToMeOptions usual, List<Option<?>> leftOut) {
        ToMeOptions usualInTomesd = usual.mode(Mode.TOMESD);
        List<Option<?>> options = new ArrayList<>(ToMeOptions.OPTIONS);
        options.removeAll(leftOut);
        table = new TableOptions(
                options,
                option ->
                        TableOptions.usually(option, usually(usual.text(option), usualInTomesd.text(option), option)));
    }

    /** All but these. */
    public static MergingTable without(Option<?>... leftOut) {
        return new MergingTable(ToMeOptions.NONE, List.of(leftOut));
    }

    private static String usually(String text, String inTomesd, Option<?> option) {
        return option.equals(ToMeOptions.MODE) || text.equals(inTomesd) ? text : text + "; with --tomesd " + inTomesd;
    }

    /** The options as picocli takes them. */
    public List<OptionSpec> specs() {
        List<OptionSpec> specs = new ArrayList<>(table.specs());
        specs.add(tomesd);
        return specs;
    }

    /**
     * Options with all that was given: the mode first, because other options have other defaults in it.
     *
     * @throws OptionException if a value is out of its range, or two do not go together
     */
    public ToMeOptions applyTo(ToMeOptions base) {
        boolean isTomesd = tomesd.<Object>getValue() != null;
        Optional<String> mode = table.text(ToMeOptions.MODE);
        if (isTomesd && mode.isPresent()) {
            throw new OptionException("--tomesd is short for --mode tomesd: say one of them");
        }
        ToMeOptions inMode = base.withText(
                ToMeOptions.MODE,
                isTomesd ? ToMeOptions.MODE.format(Mode.TOMESD) : mode.orElse(base.text(ToMeOptions.MODE)));
        return table.applyTo(
                inMode,
                (options, option, text) -> option.equals(ToMeOptions.MODE) ? options : options.withText(option, text));
    }
}
