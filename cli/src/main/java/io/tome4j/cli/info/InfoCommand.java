package io.tome4j.cli.info;

import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.session.Shown;
import io.tome4j.cli.session.Version;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.ReadParameters;
import io.tome4j.models.singlefile.FileContents;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the parameters in an image, or what a file of weights is. */
@Command(
        name = "info",
        description = "Print the generation parameters in an image, or what a file of weights is and what it fits.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class InfoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            paramLabel = "FILE",
            description = "A PNG, JPEG or WebP that tome4j, A1111's web UI or the like made; or a .safetensors file.")
    private Path file = Path.of("");

    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "The text as it stands (default), or one object: all of it, or as much as can be read.")
    private OutputFormat format = OutputFormat.TEXT;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (FileReport.isOfWeights(file)) {
            FileContents contents = FileContents.of(file);
            if (format == OutputFormat.TEXT) {
                FileReport.print(contents, out);
            } else {
                out.println(FileReport.json(contents));
            }
        } else if (format == OutputFormat.TEXT) {
            out.println(Shown.harmless(GenerationParameters.readText(file)));
        } else {
            out.println(ReadJson.of(file, ReadParameters.in(file)));
        }
        out.flush();
        return 0;
    }
}
