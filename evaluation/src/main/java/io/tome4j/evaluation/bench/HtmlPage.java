package io.tome4j.evaluation.bench;

import io.tome4j.evaluation.bench.Report.Bar;
import io.tome4j.evaluation.bench.Report.Chart;
import io.tome4j.evaluation.bench.Report.Table;
import io.tome4j.evaluation.page.Html;
import io.tome4j.evaluation.page.Page;
import java.util.Locale;

/** A report as one page without scripts. */
final class HtmlPage {
    private static final String STYLE =
            """
            .bar { margin: .45rem 0; }
            .name { display: flex; justify-content: space-between; gap: 1rem; font-size: .88rem; }
            .value { font-variant-numeric: tabular-nums; white-space: nowrap; }
            .track { height: .6rem; margin-top: .15rem; background: var(--track); border-radius: .3rem; overflow: hidden; }
            .fill { height: 100%; border-radius: .3rem; }
            """;

    private HtmlPage() {}

    static String of(Report report) {
        Html html = new Html().raw("<div class=\"charts\">\n");
        report.charts().forEach(chart -> chart(html, chart));
        html.raw("</div>\n");
        for (Table table : report.tables()) {
            html.element("h2", table.title()).raw("\n");
            html.table(table.title(), "", table.header(), table.rows());
        }
        html.raw("<h2>How to read this</h2>\n<ul>\n");
        report.notes().forEach(note -> html.element("li", note).raw("\n"));
        html.raw("</ul>\n<h2>Machine and settings</h2>\n").facts("Machine and settings", report.facts());
        return Page.of("tome4j: " + report.title(), STYLE, html.toString(), "");
    }

    private static void chart(Html html, Chart chart) {
        double most = chart.bars().stream().mapToDouble(Bar::value).max().orElse(0);
        html.raw("<section class=\"chart\">\n").element("h3", chart.title()).raw("\n");
        for (Bar bar : chart.bars()) {
            html.raw("<div class=\"bar\"><div class=\"name\">").element("span", bar.label());
            html.raw("<span class=\"value\">").text(bar.text()).raw("</span></div><div class=\"track\">");
            html.raw(String.format(
                    Locale.ROOT,
                    "<div class=\"fill\" style=\"width: %.1f%%; background: var(--c%d)\"></div></div></div>\n",
                    most == 0 ? 0 : 100 * bar.value() / most,
                    bar.colour()));
        }
        html.raw("</section>\n");
    }
}
