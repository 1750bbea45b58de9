package io.tome4j.evaluation.bench;

import io.tome4j.evaluation.bench.Report.Bar;
import io.tome4j.evaluation.bench.Report.Chart;
import io.tome4j.evaluation.bench.Report.Table;
import java.util.List;
import java.util.Locale;

/** A report as one page: no scripts, nothing fetched, light or dark as the reader's system is, narrow screens too. */
final class HtmlPage {
    private static final String STYLE =
            """
            :root {
              color-scheme: light dark;
              --page: #fcfcfb; --card: #ffffff; --ink: #1b1b1a; --soft: #5d5c58; --line: #e3e2de; --track: #efeeea;
              --c0: #6f6e6a; --c1: #c2590c; --c2: #1f6fd1; --c3: #138a5e; --c4: #8a4fbf; --c5: #b3305e; --c6: #8a7300;
            }
            @media (prefers-color-scheme: dark) {
              :root {
                --page: #161615; --card: #1f1f1d; --ink: #f1f0ec; --soft: #a9a8a2; --line: #34332f; --track: #2b2a27;
                --c0: #9b9a94; --c1: #f0914b; --c2: #5ea3f5; --c3: #3fc08f; --c4: #b98ae6; --c5: #ee7fa4; --c6: #d0b73a;
              }
            }
            * { box-sizing: border-box; }
            body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 72rem; background: var(--page); color: var(--ink);
              font: 1rem/1.5 system-ui, sans-serif; }
            h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
            h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
            h3 { font-size: .95rem; margin: 0 0 .6rem; }
            .charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
            .chart { margin: 0; padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line);
              border-radius: .5rem; }
            .bar { margin: .45rem 0; }
            .name { display: flex; justify-content: space-between; gap: 1rem; font-size: .88rem; }
            .value { font-variant-numeric: tabular-nums; white-space: nowrap; }
            .track { height: .6rem; margin-top: .15rem; background: var(--track); border-radius: .3rem; overflow: hidden; }
            .fill { height: 100%; border-radius: .3rem; }
            .scroll { overflow-x: auto; }
            table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
              white-space: nowrap; }
            .facts td { white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
            th { color: var(--soft); font-weight: 600; }
            li, .facts { color: var(--soft); font-size: .9rem; }
            ul { padding-left: 1.1rem; }
            """;

    private final Report report;
    private final StringBuilder html = new StringBuilder();

    private HtmlPage(Report report) {
        this.report = report;
    }

    static String of(Report report) {
        return new HtmlPage(report).page();
    }

    private String page() {
        String title = escape("tome4j: " + report.title());
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n")
                .append("<title>")
                .append(title)
                .append("</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n<h1>")
                .append(title)
                .append("</h1>\n<div class=\"charts\">\n");
        report.charts().forEach(this::chart);
        html.append("</div>\n");
        report.tables().forEach(table -> table(table, ""));
        html.append("<h2>How to read this</h2>\n<ul>\n");
        report.notes().forEach(note -> element("li", note).append('\n'));
        html.append("</ul>\n");
        table(
                new Table(
                        "Machine and settings",
                        List.of("", ""),
                        report.facts().entrySet().stream()
                                .map(fact -> List.of(fact.getKey(), fact.getValue()))
                                .toList()),
                " class=\"facts\"");
        return html.append("</body>\n</html>\n").toString();
    }

    private void chart(Chart chart) {
        double most = chart.bars().stream().mapToDouble(Bar::value).max().orElse(0);
        html.append("<section class=\"chart\">\n");
        element("h3", chart.title()).append('\n');
        for (Bar bar : chart.bars()) {
            html.append("<div class=\"bar\"><div class=\"name\">");
            element("span", bar.label());
            html.append("<span class=\"value\">")
                    .append(escape(bar.text()))
                    .append("</span></div><div class=\"track\">");
            html.append(String.format(
                    Locale.ROOT,
                    "<div class=\"fill\" style=\"width: %.1f%%; background: var(--c%d)\"></div></div></div>\n",
                    most == 0 ? 0 : 100 * bar.value() / most,
                    bar.colour()));
        }
        html.append("</section>\n");
    }

    private void table(Table table, String attributes) {
        element("h2", table.title())
                .append("\n<div class=\"scroll\">\n<table")
                .append(attributes)
                .append(">\n");
        if (table.header().stream().anyMatch(name -> !name.isEmpty())) {
            html.append("<thead><tr>");
            table.header().forEach(name -> element("th", name));
            html.append("</tr></thead>\n");
        }
        html.append("<tbody>\n");
        for (List<String> row : table.rows()) {
            html.append("<tr>");
            row.forEach(cell -> element("td", cell));
            html.append("</tr>\n");
        }
        html.append("</tbody>\n</table>\n</div>\n");
    }

    private StringBuilder element(String name, String text) {
        return html.append('<')
                .append(name)
                .append('>')
                .append(escape(text))
                .append("</")
                .append(name)
                .append('>');
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
