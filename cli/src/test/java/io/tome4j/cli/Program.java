package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;

/** The program run in this process, and what it printed. */
public record Program(int status, String out, String err) {
    public static Program run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] texts = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            texts[i] = args[i].toString();
        }
        int status =
                Tome.commandLine(new PrintWriter(out), new PrintWriter(err)).execute(texts);
        return new Program(status, out.toString(), err.toString());
    }

    /** A checkpoint whose images are noise, and quickly made. */
    public static Path tinyModel() {
        return Path.of(System.getProperty("tome4j.fixtures")).resolve("tiny-sd1");
    }

    /** The one line that a program that succeeded printed. */
    public JsonNode json() throws IOException {
        assertThat(status).as(err).isZero();
        assertThat(out.strip()).hasLineCount(1);
        return new ObjectMapper().readTree(out);
    }

    /** That the command ended with status 2, a message, and where to read more. */
    public void assertIsUsageError(String command, String message) {
        assertThat(err).contains(message).contains("tome " + command + " --help");
        assertThat(status).as(err).isEqualTo(2);
        assertThat(out).isEmpty();
    }
}
