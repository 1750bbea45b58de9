package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Parameters;

/** The prompt. */
public final class PromptArgument {
    private static final String CLOSED =
            "The prompt is - and stdin cannot be read, as if it was closed: pipe the prompt in, or say it in quotes.";

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
        return text(argument);
    }

    /** The same of a prompt that was given elsewhere. */
    public static String text(String argument) {
        return argument.equals("-") ? read() : argument;
    }

    private static String read() {
        if (isStdinAFileOfTheJvm()) {
            throw new TomeException(CLOSED);
        }
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
            throw new TomeException(CLOSED, e);
        }
        if (length > Request.LONGEST_PROMPT) {
            throw new OptionException(
                    "The prompt on stdin is too long: it may have at most " + Request.LONGEST_PROMPT + " characters");
        }
        return new String(text, 0, length).strip();
    }

    /** Where stdin is closed, the first file that the JVM opens for itself takes its place: on Linux that can be told. */
    private static boolean isStdinAFileOfTheJvm() {
        try {
            Path file = Files.readSymbolicLink(Path.of("/proc/self/fd/0"));
            return file.startsWith(System.getProperty("java.home"))
                    || file.toString().endsWith(".jsa")
                    || System.getProperty("java.class.path").contains(file.toString());
        } catch (IOException | UnsupportedOperationException e) {
            return false; // another system, or nothing is there: reading says so
        }
    }
}
