package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/** Settings as words. */
final class Facts {
    private Facts() {}

    static Map<String, String> of(BenchSettings settings) {
        Map<String, String> facts = new LinkedHashMap<>();
        Json.of(settings).properties().forEach(entry -> facts.put(entry.getKey(), text(entry.getValue())));
        return facts;
    }

    private static String text(JsonNode value) {
        if (value.isArray()) {
            StringJoiner all = new StringJoiner(", ");
            value.forEach(element -> all.add(element.asText()));
            return all.toString();
        }
        if (value.isObject()) {
            StringJoiner all = new StringJoiner(", ");
            value.properties()
                    .forEach(entry ->
                            all.add(entry.getKey() + " " + entry.getValue().asText()));
            return all.toString();
        }
        return value.isBoolean() ? value.asBoolean() ? "on" : "off" : value.asText();
    }
}
