package io.tome4j.cli.options;

import io.tome4j.merging.ToMeOptions;
import java.util.List;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;

/** What to merge. */
public final class MergingOptions {
    /** Whether to merge. */
    public enum Merging {
        ON,
        AUTO,
        OFF
    }

    @Option(
            names = "--merging",
            paramLabel = "on|auto|off",
            defaultValue = "on",
            description = "Merge tokens (default), merge where it is predicted to pay as --auto, or do not.")
    private Merging merging = Merging.ON;

    private final ToMeOptions usual;
    private final MergingTable table;

    /** @param usualRatio the share of tokens to merge away where none is given */
    public MergingOptions(double usualRatio) {
        this.usual = ToMeOptions.ratio(usualRatio);
        this.table = new MergingTable(usual, List.of());
    }

    /** The options in help. */
    public ArgGroupSpec group(String title, int order) {
        return OptionGroup.of(table.specs()).and(this).titled(title, order);
    }

    /**
     * What was asked for.
     *
     * @throws io.tome4j.tensor.OptionException if a value is out of its range, or two do not go together
     */
    public ToMeOptions options() {
        return options(usual);
    }

    /**
     * What was asked for over other options than the usual ones.
     *
     * @throws io.tome4j.tensor.OptionException as {@link #options()}
     */
    public ToMeOptions options(ToMeOptions base) {
        ToMeOptions options = table.applyTo(base);
        if (merging == Merging.OFF || !options.merges()) {
            return ToMeOptions.NONE;
        }
        return merging == Merging.AUTO ? options.auto(true) : options;
    }

    /** All but whether to merge, which the ratio says. */
    public ToMeOptions base() {
        return table.applyTo(usual);
    }
}
