package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.evaluation.bench.Report.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/** How to show a report. Each way has the machine, the settings and the notes in it. Lines end with {@code \n}. */
public enum BenchFormat {
    /** Tables of text with columns that line up. */
    TERMINAL("txt") {
        @Override
        public String format(Report report) {
            StringBuilder text = new StringBuilder(report.title()).append("\n\n");
            for (Table table : report.tables()) {
                text.append(table.title()).append('\n');
                List<List<String>> lines = new ArrayList<>(List.of(table.header()));
                lines.addAll(table.rows());
                for (List<String> line : lines) {
                    StringBuilder padded = new StringBuilder();
                    for (int column = 0; column < line.size(); column++) {
                        padded.append(pad(line.get(column), width(lines, column) + 2));
                    }
                    text.append(padded.toString().stripTrailing()).append('\n');
                }
                text.append('\n');
            }
            report.notes().forEach(note -> text.append(note).append('\n'));
            text.append('\n');
            report.facts()
                    .forEach((name, value) ->
                            text.append(pad(name, 12)).append(value).append('\n'));
            return text.toString();
        }
    },

    MARKDOWN("md") {
        @Override
        public String format(Report report) {
            StringBuilder text = new StringBuilder("# ").append(report.title()).append("\n\n");
            for (Table table : report.tables()) {
                text.append("## ").append(table.title()).append("\n\n");
                text.append(line(table.header()));
                text.append("|").append("---|".repeat(table.header().size())).append('\n');
                table.rows().forEach(row -> text.append(line(row)));
                text.append('\n');
            }
            report.notes()
                    .forEach(note -> text.append("- ").append(escape(note)).append('\n'));
            text.append("\n| | |\n|---|---|\n");
            report.facts().forEach((name, value) -> text.append(line(List.of(name, value))));
            return text.toString();
        }

        private String line(List<String> cells) {
            StringJoiner line = new StringJoiner(" | ", "| ", " |\n");
            cells.forEach(cell -> line.add(escape(cell)));
            return line.toString();
        }

        private String escape(String text) {
            return text.replaceAll("([\\\\|<>*_`])", "\\\\$1");
        }
    },

    /** Numbers as they are; machine, settings and notes in lines that begin with {@code #}. */
    CSV("csv") {
        @Override
        public String format(Report report) {
            StringBuilder text = new StringBuilder();
            report.facts().forEach((name, value) -> text.append("# ")
                    .append(name)
                    .append(": ")
                    .append(value)
                    .append('\n'));
            report.notes().forEach(note -> text.append("# ").append(note).append('\n'));
            boolean first = true;
            for (ObjectNode row : report.rows()) {
                if (first) {
                    StringJoiner header = new StringJoiner(",", "", "\n");
                    row.fieldNames().forEachRemaining(header::add);
                    text.append(header);
                    first = false;
                }
                StringJoiner line = new StringJoiner(",", "", "\n");
                row.properties().forEach(entry -> line.add(quote(value(entry.getValue()))));
                text.append(line);
            }
            return text.toString();
        }

        private String value(JsonNode node) {
            if (node.isArray()) {
                StringJoiner all = new StringJoiner(" ");
                node.forEach(element -> all.add(element.asText()));
                return all.toString();
            }
            return node.isNull() ? "" : node.asText();
        }

        private String quote(String value) {
            return value.matches("(?s).*[\",\n\r].*") ? '"' + value.replace("\"", "\"\"") + '"' : value;
        }
    },

    JSON("json") {
        @Override
        public String format(Report report) {
            return report.json().toPrettyString().replace("\r\n", "\n") + "\n";
        }
    },

    /** One page that needs nothing from elsewhere. */
    HTML("html") {
        @Override
        public String format(Report report) {
            return HtmlPage.of(report);
        }
    };

    private final String ending;

    BenchFormat(String ending) {
        this.ending = ending;
    }

    /** What files of this format end in, without the dot. */
    public String ending() {
        return ending;
    }

    /** The report as text. */
    public abstract String format(Report report);

    private static int width(List<List<String>> lines, int column) {
        return lines.stream().mapToInt(line -> line.get(column).length()).max().orElse(0);
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
