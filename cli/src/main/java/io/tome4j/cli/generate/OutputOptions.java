package io.tome4j.cli.generate;

import io.tome4j.cli.options.OutputFormat;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where the results go. */
final class OutputOptions {
    @Option(
            names = "--out",
            paramLabel = "FILE|DIR",
            description = "A .png file, which is replaced if it is there, or a folder; several images are numbered"
                    + " (default: a new file here, named after prompt and seed).")
    Optional<Path> out = Optional.empty();

    @Option(names = "--latents", paramLabel = "FILE", description = "Save the final latents there too, as safetensors.")
    Optional<Path> latents = Optional.empty();

    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "What to print on stdout; json: one object with files, seed, times and tokens merged.")
    OutputFormat format = OutputFormat.TEXT;
}
