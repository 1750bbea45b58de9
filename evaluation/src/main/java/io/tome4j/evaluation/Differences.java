package io.tome4j.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** How the settings that kept results were made with differ from those that are asked for. */
public final class Differences {
    private static final String ABSENT = "none";

    private Differences() {}

    /**
     * A line for each setting that is not the same: {@code steps was 20 and is now 50}.
     *
     * @param before settings by name
     * @param now settings by name; their order is that of the lines
     * @return empty if all are the same
     */
    public static List<String> between(Map<String, String> before, Map<String, String> now) {
        Set<String> names = new LinkedHashSet<>(now.keySet());
        names.addAll(before.keySet());
        List<String> lines = new ArrayList<>();
        for (String name : names) {
            String was = before.getOrDefault(name, ABSENT);
            String is = now.getOrDefault(name, ABSENT);
            if (!was.equals(is)) {
                lines.add(name + " was " + was + " and is now " + is);
            }
        }
        return lines;
    }
}
