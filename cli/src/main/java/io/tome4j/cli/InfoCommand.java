package io.tome4j.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.GenerationParameters;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the parameters in an image. */
@Command(
        name = "info",
        description = "Print the generation parameters in an image.",
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class)
final class InfoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "FILE.png", description = "An image that tome4j or A1111's web UI made.")
    private Path file = Path.of("");

    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "The text as it stands (default), or one object.")
    private OutputFormat format = OutputFormat.TEXT;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (format == OutputFormat.TEXT) {
            out.println(GenerationParameters.readText(file));
        } else {
            out.println(json(GenerationParameters.read(file)));
        }
        out.flush();
        return 0;
    }

    private ObjectNode json(GenerationParameters parameters) {
        var request = parameters.request();
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("file", file.toString());
        json.put("prompt", parameters.prompt());
        json.put("negative", request.negativePrompt());
        json.put("steps", request.steps());
        json.put("scheduler", parameters.scheduler());
        json.put("guidance", request.guidanceScale());
        json.put("seed", request.seed());
        json.put("width", request.width());
        json.put("height", request.height());
        json.put("count", request.images());
        json.put("index", parameters.index());
        json.put("model", parameters.model());
        json.put("dtype", LowerCase.name(parameters.dtype()));
        json.put("attention", LowerCase.name(parameters.attention()));
        parameters.merging().forEach(options -> RunReport.putOptions(json.putObject("merging"), options));
        json.put("version", parameters.version());
        return json;
    }
}
