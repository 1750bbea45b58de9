package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Something measured, to be shown in any {@link BenchFormat}. */
public sealed interface Report permits BenchReport, ProfileReport {
    /**
     * @param title a few words; may be empty
     * @param header the columns' names
     * @param rows as many texts each as there are columns
     */
    record Table(String title, List<String> header, List<List<String>> rows) {}

    /**
     * Bars of one scale.
     *
     * @param title a few words
     * @param bars from top to bottom
     */
    record Chart(String title, List<Bar> bars) {}

    /**
     * @param label what it is
     * @param value its length, at least 0
     * @param text the value as people read it, or why there is none
     * @param colour a number from 0: the same thing has the same in all charts
     */
    record Bar(String label, double value, String text, int colour) {}

    /** What it is, in a few words. */
    String title();

    Machine machine();

    BenchSettings settings();

    /** When it was measured, UTC. */
    Instant date();

    /** The numbers for people. */
    List<Table> tables();

    /** The numbers as bars. */
    List<Chart> charts();

    /** What to know about the numbers. */
    List<String> notes();

    /** The numbers alone, one object a row, as programs read them. */
    List<ObjectNode> rows();

    /** All there is. */
    default ObjectNode json() {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("date", date().toString());
        json.set("machine", Json.of(machine()));
        json.set("settings", Json.of(settings()));
        rows().forEach(json.putArray("rows")::add);
        json.set("notes", Json.array(notes()));
        return json;
    }

    /** Machine, settings and date by name, in the order to show them. */
    default Map<String, String> facts() {
        Map<String, String> facts = new java.util.LinkedHashMap<>(machine().facts());
        facts.putAll(Facts.of(settings()));
        facts.put("date", date().toString());
        return facts;
    }
}
