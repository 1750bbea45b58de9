package io.tome4j.cli.session;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** What came of a command. */
public interface Report {
    /** For people: lines, the last one without an end. */
    String text();

    /** For programs: one object. */
    ObjectNode json();
}
