package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;

/** The program run in this process, and what it printed. */
public record Program(String command, int status, String out, String err) {
    public static Program run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] texts = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            texts[i] = args[i].toString();
        }
        int status = Tome.run(texts, new PrintWriter(out), new PrintWriter(err));
        return new Program(texts.length == 0 ? "" : texts[0], status, out.toString(), err.toString());
    }

    /** A checkpoint whose images are noise, and quickly made. */
    public static Path tinyModel() {
        return Path.of(System.getProperty("tome4j.fixtures")).resolve("tiny-sd1");
    }

    /** The object that a program that succeeded printed; it is as the command's schema says. */
    public JsonNode json() throws IOException {
        assertThat(status).as(err).isZero();
        JsonNode json = new ObjectMapper().readTree(out);
        Schemas.assertValid(schema(json), json);
        return json;
    }

    private String schema(JsonNode json) {
        if (json.path("measure").asText().equals("retrieval")) {
            return "retrieval";
        }
        return json.has("motifs") ? "motifs" : command;
    }

    /** That the command ended with status 2, a message, and where to read more. */
    public void assertIsUsageError(String command, String message) {
        assertThat(err).contains(message).contains("tome " + command + " --help");
        assertThat(status).as(err).isEqualTo(2);
        assertThat(out).isEmpty();
    }
}
