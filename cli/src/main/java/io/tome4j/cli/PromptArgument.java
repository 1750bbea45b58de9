package io.tome4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** A prompt on the command line. */
final class PromptArgument {
    private PromptArgument() {}

    /** The argument itself; for {@code -} what stdin holds. */
    static String text(String argument) {
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
