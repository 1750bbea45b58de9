package io.tome4j.cli.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Parameters;

/** The prompt. */
public final class PromptArgument {
    @Parameters(paramLabel = "PROMPT", description = "What to draw, in quotes; - reads it from stdin.")
    private String argument = "";

    /** The argument itself; for {@code -} what stdin holds, which can be read only once. */
    public String text() {
        if (!argument.equals("-")) {
            return argument;
        }
        try {
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("The prompt cannot be read from stdin", e);
        }
    }
}
