package io.tome4j.cli.options;

import picocli.CommandLine;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;

/** Command lines of nothing but options. */
final class Parsed {
    private Parsed() {}

    /** Reads arguments into a group of options. */
    static void group(ArgGroupSpec group, String... args) {
        CommandLine commandLine = new CommandLine(CommandSpec.create().addArgGroup(group));
        commandLine.registerConverter(MergingOptions.Merging.class, new LowerCase<>(MergingOptions.Merging.class));
        commandLine.parseArgs(args);
    }
}
