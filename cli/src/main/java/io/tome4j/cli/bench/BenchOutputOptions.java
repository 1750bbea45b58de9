package io.tome4j.cli.bench;

import io.tome4j.evaluation.bench.BenchFormat;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where results go. */
final class BenchOutputOptions {
    @Option(
            names = "--format",
            paramLabel = "terminal|markdown|csv|json|html",
            defaultValue = "terminal",
            description = "How to show the results (default: ${DEFAULT-VALUE}).")
    BenchFormat format = BenchFormat.TERMINAL;

    @Option(
            names = "--out",
            paramLabel = "FOLDER|FILE",
            description =
                    "Write the results there instead: a file gets the format asked for, a folder all of them. Finished"
                            + " cells of the table are kept there too; the same command run again goes on after them.")
    Optional<Path> out = Optional.empty();
}
