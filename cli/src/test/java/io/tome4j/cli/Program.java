package io.tome4j.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Path;

/** The program run in this process, and what it printed. */
record Program(int status, String out, String err) {
    static final PrintWriter NOWHERE = new PrintWriter(Writer.nullWriter());

    static Program run(Object... args) {
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
    static Path tinyModel() {
        return Path.of(System.getProperty("tome4j.fixtures")).resolve("tiny-sd1");
    }
}
