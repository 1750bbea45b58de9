package io.tome4j.cli.options;

import io.tome4j.merging.ToMeOptions;
import picocli.CommandLine.Option;

/** How to merge, whatever share of the tokens. */
public class MergingMethodOptions extends MergingDetailOptions {
    @Option(
            names = "--method",
            paramLabel = "tome|todo|query",
            defaultValue = "tome",
            description = "Merge all tokens (default), downsample keys and values (ToDo), or merge queries only.")
    ToMeOptions.Method method = ToMeOptions.Method.TOME;

    /**
     * @param ratio the share of tokens to merge away
     * @throws IllegalArgumentException if a value is out of its range, or two do not go together
     */
    public ToMeOptions options(double ratio) {
        return options(method, ratio);
    }
}
