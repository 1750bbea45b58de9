package io.tome4j.cli.options;

import io.tome4j.merging.ToMeOptions;
import java.util.List;
import picocli.CommandLine.Option;

/** What to merge. */
public final class MergingOptions extends MergingMethodOptions {
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
            description = "Merge tokens (default), merge where it is predicted to pay, or do not.")
    Merging merging = Merging.ON;

    @Option(
            names = "--ratio",
            paramLabel = "SHARE",
            defaultValue = "0.5",
            description = "Share of tokens to merge away, from 0 (off) to 1 (default: ${DEFAULT-VALUE}).")
    double ratio = 0.5;

    /**
     * @return none if merging is off or the ratio is 0, else one
     * @throws IllegalArgumentException if a value is out of its range, or two do not go together
     */
    public List<ToMeOptions> options() {
        ToMeOptions options = options(ratio).auto(merging == Merging.AUTO);
        return merging == Merging.OFF || ratio == 0 ? List.of() : List.of(options);
    }
}
