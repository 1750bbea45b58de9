package io.tome4j.cli.bench;

import io.tome4j.cli.session.OutputFiles;
import io.tome4j.evaluation.bench.BenchFormat;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** Where results go. */
final class BenchOutputOptions {
    @Option(
            names = "--format",
            paramLabel = "terminal|markdown|csv|json|html",
            description = "How to show the results (default: as the ending of --out says, else terminal).")
    Optional<BenchFormat> format = Optional.empty();

    @Option(
            names = "--out",
            paramLabel = "FOLDER|FILE",
            description =
                    "Write the results there instead: a file (.txt, .md, .csv, .json, .html) gets the format of its ending"
                            + " or of --format, a folder all of them. Finished cells of the table are kept there too; the same command run again goes on after them.")
    Optional<Path> out = Optional.empty();

    /**
     * What was asked for, or the ending of the file says.
     *
     * @throws OptionException if that is none
     */
    BenchFormat format() {
        return format.or(() -> out.filter(file -> !OutputFiles.isFolder(file)).map(BenchOutputOptions::ofEnding))
                .orElse(BenchFormat.TERMINAL);
    }

    private static BenchFormat ofEnding(Path file) {
        String name = String.valueOf(file.getFileName());
        String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return Arrays.stream(BenchFormat.values())
                .filter(each -> each.ending().equals(ending))
                .findFirst()
                .orElseThrow(() -> new OptionException("--out is " + OptionException.literal(file.toString())
                        + ": it must end in "
                        + Arrays.stream(BenchFormat.values())
                                .map(each -> "." + each.ending())
                                .collect(Collectors.joining(", "))
                        + ", or be a folder; or --format says what to write"));
    }
}
