package io.tome4j.cli.generate;

import io.tome4j.cli.options.PromptArgument;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The prompt, which may be that of an image that is made again. */
public final class OptionalPrompt {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description =
                    "What to draw, in quotes; - reads it from stdin. One that begins with a dash goes last, after --. With"
                            + " --like it may be left out.")
    private Optional<String> argument = Optional.empty();

    /** As {@link PromptArgument#text()}; empty where none was given. */
    Optional<String> text() {
        return argument.map(PromptArgument::text);
    }

    /** As {@link PromptArgument#text()}. */
    String required() {
        return text().orElseThrow(() -> new MissingParameterException(
                command.commandLine(),
                List.copyOf(command.positionalParameters()),
                "Missing required parameter: 'PROMPT'"));
    }
}
