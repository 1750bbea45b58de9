package io.tome4j.cli.info;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.cli.session.Version;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.OptionsJson;
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
        versionProvider = Version.class)
public final class InfoCommand implements Callable<Integer> {
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
        ObjectNode json = ReportJson.object();
        json.put("file", file.toString());
        ReportJson.putRequest(json, request);
        json.put("prompt", parameters.prompt()); // this image's, where the request has several
        json.put("scheduler", parameters.scheduler()); // the one that ran, where the request names none
        json.put("index", parameters.index());
        json.put("model", parameters.model());
        parameters.dtype().ifPresent(dtype -> json.put("dtype", LowerCase.name(dtype)));
        json.put("attention", LowerCase.name(parameters.attention()));
        if (parameters.merging().merges()) {
            json.set("merging", OptionsJson.of(parameters.merging()));
        }
        json.put("version", parameters.version());
        return json;
    }
}
