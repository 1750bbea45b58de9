package io.tome4j.cli;

/** What a subcommand prints on stdout. */
enum OutputFormat {
    /** Lines for people. */
    TEXT,
    /** One object for programs. */
    JSON
}
