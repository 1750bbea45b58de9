package io.tome4j.evaluation.page;

import java.util.List;
import java.util.Map;

/** Writes HTML, all text escaped. */
public final class Html {
    private final StringBuilder html = new StringBuilder();

    /** Adds markup as it is. */
    public Html raw(String markup) {
        html.append(markup);
        return this;
    }

    /** Adds text. */
    public Html text(String text) {
        html.append(escape(text));
        return this;
    }

    /** Adds an element that holds nothing but text. */
    public Html element(String name, String text) {
        return raw("<" + name + ">").text(text).raw("</" + name + ">");
    }

    /**
     * Adds a table in a box of its own that scrolls where it is too wide; with the keyboard, too.
     *
     * @param label what to call it
     * @param attributes of the table: empty, or a space and markup
     * @param header the columns' names; all empty for none
     * @param rows as many texts each as there are columns; the first of each names its row
     */
    public Html table(String label, String attributes, List<String> header, List<List<String>> rows) {
        raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + escape(label) + "\">\n");
        raw("<table" + attributes + ">\n");
        if (header.stream().anyMatch(name -> !name.isEmpty())) {
            raw("<thead><tr>");
            header.forEach(name -> raw("<th scope=\"col\">").text(name).raw("</th>"));
            raw("</tr></thead>\n");
        }
        raw("<tbody>\n");
        for (List<String> row : rows) {
            raw("<tr>");
            for (int i = 0; i < row.size(); i++) {
                if (i == 0) {
                    raw("<th scope=\"row\">").text(row.get(0)).raw("</th>");
                } else {
                    element("td", row.get(i));
                }
            }
            raw("</tr>\n");
        }
        return raw("</tbody>\n</table>\n</div>\n");
    }

    /** Adds a table of names and values. */
    public Html facts(String label, Map<String, String> facts) {
        return table(
                label,
                " class=\"facts\"",
                List.of("", ""),
                facts.entrySet().stream()
                        .map(fact -> List.of(fact.getKey(), fact.getValue()))
                        .toList());
    }

    /** What was written. */
    @Override
    public String toString() {
        return html.toString();
    }

    /** Text as it can stand in an element or an attribute. */
    public static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
