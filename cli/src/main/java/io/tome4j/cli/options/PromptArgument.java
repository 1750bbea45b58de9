package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Parameters;

/** The prompt. */
public final class PromptArgument {
    @Parameters(
            paramLabel = "PROMPT",
            description =
                    "What to draw, in quotes; - reads it from stdin. One that begins with a dash goes last, after --.")
    private String argument = "";

    /**
     * The argument itself; for {@code -} what stdin holds, which can be read only once.
     *
     * @throws OptionException if stdin holds more than a prompt may have; no more of it is read
     * @throws TomeException if it cannot be read, or is not UTF-8
     */
    public String text() {
        return argument.equals("-") ? read() : argument;
    }

    private static String read() {
        char[] text = new char[Request.LONGEST_PROMPT + 1];
        int length = 0;
        try {
            Reader stdin = new InputStreamReader(System.in, StandardCharsets.UTF_8.newDecoder());
            for (int got = 0; got >= 0 && length < text.length; length += Math.max(0, got)) {
                got = stdin.read(text, length, text.length - length);
            }
        } catch (CharacterCodingException e) {
            throw new TomeException("The prompt on stdin is not UTF-8: save or send it in that encoding.", e);
        } catch (IOException e) {
            throw new TomeException(
                    "The prompt is - and stdin cannot be read, as if it was closed: pipe the prompt in, or say it in"
                            + " quotes.",
                    e);
        }
        if (length > Request.LONGEST_PROMPT) {
            throw new OptionException(
                    "The prompt on stdin is too long: it may have at most " + Request.LONGEST_PROMPT + " characters");
        }
        return new String(text, 0, length).strip();
    }
}
