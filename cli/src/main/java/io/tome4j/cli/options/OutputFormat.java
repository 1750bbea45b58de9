package io.tome4j.cli.options;

/** What a subcommand prints on stdout. */
public enum OutputFormat {
    /** Lines for people. */
    TEXT,
    /** One object for programs. */
    JSON
}
