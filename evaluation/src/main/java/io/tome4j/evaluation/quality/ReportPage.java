package io.tome4j.evaluation.quality;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.evaluation.Statistics;
import io.tome4j.evaluation.page.Html;
import io.tome4j.evaluation.page.Page;
import io.tome4j.evaluation.quality.EvaluationResult.Group;
import io.tome4j.evaluation.quality.EvaluationResult.Summary;
import io.tome4j.evaluation.quality.Pareto.Point;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An evaluation as one HTML file that needs nothing from elsewhere: tables, quality against time, categories, images that
 * flip between merged and unmerged, merge maps. Smaller than 25 MB: the images are shown smaller the more there are, and
 * if that is not enough, only those of the first prompts.
 */
final class ReportPage {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final long IMAGE_BUDGET = 20_000_000;
    private static final long MAP_BUDGET = 4_000_000;

    private final EvaluationReport report;
    private final EvaluationResult result;
    private final List<Summary> summaries;
    private final List<List<Row>> byPrompt = new ArrayList<>();
    private final ResultStore store;
    private final Html html = new Html();

    private ReportPage(EvaluationReport report, ResultStore store) {
        this.report = report;
        this.result = report.result();
        this.summaries = result.summaries();
        this.store = store;
        int perPrompt = result.settings().size() + 1;
        for (int i = 0; i < result.rows().size(); i += perPrompt) {
            byPrompt.add(result.rows().subList(i, i + perPrompt));
        }
    }

    /**
     * Writes the page.
     *
     * @param store has the images
     * @throws TomeException if one of them is gone
     */
    static String of(EvaluationReport report, ResultStore store) {
        return new ReportPage(report, store).page();
    }

    private String page() {
        lead();
        html.raw("<h2>Settings</h2>\n");
        List<List<String>> lines = ResultTable.settings(result).stream()
                .map(line -> line.stream().map(ReportPage::onTwoLines).toList())
                .toList();
        html.table("Settings", "", lines.get(0), lines.subList(1, lines.size()));
        charts();
        groups("Categories", result.categories());
        groups("Challenges", result.challenges());
        images();
        maps();
        notes();
        html.raw("<h2>Settings and machine</h2>\n").facts("Settings and machine", facts());
        return Page.of(
                "What token merging costs: " + report.model(),
                resource("report.css"),
                html.toString(),
                resource("report.js"));
    }

    /** An interval in brackets goes below what it is of. */
    private static String onTwoLines(String cell) {
        return cell.replaceFirst(" \\((.* to .*)\\)$", "\n$1");
    }

    private static String resource(String name) {
        try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new TomeException("The resource " + name + " is missing in this build.");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new TomeException("The resource " + name + " cannot be read: " + e + ".", e);
        }
    }

    private void lead() {
        html.raw("<p class=\"lead\">");
        html.text(String.format(
                Locale.ROOT,
                "%d %s without merging and with %d %s that save time, %d x %d pixels, %d steps.",
                result.prompts(),
                result.prompts() == 1 ? "prompt" : "prompts",
                result.settings().size(),
                result.settings().size() == 1 ? "setting" : "settings",
                result.request().width(),
                result.request().height(),
                result.request().steps()));
        result.mainScale().ifPresent(scale -> {
            List<Point> front = front(scale);
            html.text(
                    front.isEmpty()
                            ? " No setting was faster than no merging."
                            : " Faster than no merging, and beaten by no other setting in both time and "
                                    + scale.title() + ": ");
            html.raw(front.stream()
                    .map(point -> "<strong>" + Html.escape(point.name()) + "</strong>")
                    .collect(Collectors.joining(", ")));
            html.text(front.isEmpty() ? "" : ".");
        });
        html.raw("</p>\n");
    }

    private Summary unmerged() {
        return summaries.get(0);
    }

    private List<Point> front(Scale scale) {
        return TradeOffChart.front(points(scale), unmerged().perStep().median());
    }

    private List<Point> points(Scale scale) {
        List<Point> points = new ArrayList<>();
        for (Summary summary : summaries) {
            Optional<Statistics> measured =
                    Optional.ofNullable(summary.measures().get(scale.name()));
            if (summary.setting().saves()
                    && measured.isPresent()
                    && measured.get().count() > 0) {
                Statistics statistics = measured.get();
                boolean known = statistics.meanInterval().isKnown();
                double low = known ? statistics.meanInterval().low() : statistics.mean();
                double high = known ? statistics.meanInterval().high() : statistics.mean();
                points.add(new Point(
                        summary.setting().label(),
                        summary.setting().variant(),
                        summary.perStep().median(),
                        scale.goodness(statistics.mean()),
                        Math.min(scale.goodness(low), scale.goodness(high)),
                        Math.max(scale.goodness(low), scale.goodness(high))));
            }
        }
        return points;
    }

    private void charts() {
        html.raw("<h2>Quality against time</h2>\n<div class=\"charts\">\n");
        for (Scale scale : result.scales()) {
            List<Point> points = points(scale);
            if (!points.isEmpty()) {
                html.raw(TradeOffChart.of(scale, points, unmerged().perStep().median()));
            }
        }
        html.raw("</div>\n");
    }

    private void groups(String title, List<Group> groups) {
        if (groups.isEmpty()) {
            return;
        }
        html.element("h2", title).raw("\n");
        List<String> header = Stream.concat(
                        Stream.of(""), result.settings().stream().map(Setting::label))
                .toList();
        Optional<Scale> main = result.mainScale();
        for (Scale scale : result.scales()) {
            boolean open = main.isPresent() && main.get().equals(scale);
            html.raw(open ? "<details open=\"open\">" : "<details>");
            html.element("summary", "Mean " + scale.title()).raw("\n");
            List<List<String>> rows = new ArrayList<>();
            for (Group group : groups) {
                List<String> cells = new ArrayList<>(List.of(group.name() + " (" + group.prompts() + ")"));
                for (Summary summary : group.summaries()) {
                    if (summary.setting().saves()) {
                        cells.add(mean(Optional.ofNullable(summary.measures().get(scale.name()))));
                    }
                }
                rows.add(cells);
            }
            html.table(title + ": mean " + scale.title(), "", header, rows).raw("</details>\n");
        }
    }

    private static String mean(Optional<Statistics> statistics) {
        return statistics
                .map(measured -> measured.count() == 0 ? "equal" : ResultTable.people(measured.mean()))
                .orElse("-");
    }

    private void images() {
        ReportImages images = ReportImages.of(byPrompt, store, IMAGE_BUDGET);
        int shown = images.byPrompt().size();
        html.raw("<section id=\"images\">\n<h2>Images</h2>\n<p class=\"lead\">");
        html.text(
                "Point at an image, tap it or press Enter on it to see it without merging; F flips all, the arrow keys"
                        + " change the setting.");
        if (shown < byPrompt.size()) {
            html.text(" Shown are the first " + shown + " of " + byPrompt.size() + " prompts.");
        }
        html.raw("</p>\n<div class=\"tools\"><label>Setting <select id=\"setting\">");
        result.settings().forEach(setting -> html.element("option", setting.label()));
        html.raw("</select></label>\n<label>Order <select id=\"order\"><option value=\"drawn\">As drawn</option>");
        result.mainScale().ifPresent(scale -> html.raw("<option value=\"most\">")
                .text("Most changed first (" + scale.title() + ")")
                .raw("</option><option value=\"least\">")
                .text("Least changed first (" + scale.title() + ")")
                .raw("</option>"));
        html.raw("</select></label>\n<button type=\"button\" id=\"flip-all\" aria-pressed=\"false\">"
                + "All unmerged <kbd>F</kbd></button></div>\n");
        html.raw("<noscript><p>The images need JavaScript; they are beside this file, too.</p></noscript>\n");
        html.raw("<ul class=\"cards\">\n");
        ObjectNode data = MAPPER.createObjectNode();
        ArrayNode settings = data.putArray("settings");
        result.settings().forEach(setting -> settings.add(setting.label()));
        ArrayNode cards = data.putArray("cards");
        for (int i = 0; i < shown; i++) {
            card(byPrompt.get(i));
            cards.add(cardData(byPrompt.get(i), images.byPrompt().get(i)));
        }
        html.raw("</ul>\n</section>\n<script type=\"application/json\" id=\"image-data\">");
        html.raw(data.toString().replace("<", "\\u003c")).raw("</script>\n");
    }

    private void card(List<Row> rows) {
        String prompt = rows.get(0).shot().prompt().text();
        html.raw("<li>");
        flip(prompt);
        html.raw("<p class=\"prompt\" title=\"" + Html.escape(prompt) + "\">").text(prompt);
        html.raw("</p><p class=\"told\"></p></li>\n");
    }

    /** Two images in one place; the script gives them their content. */
    private void flip(String prompt) {
        String size = " width=\"" + result.request().width() + "\" height=\""
                + result.request().height() + "\"";
        html.raw("<button type=\"button\" class=\"flip\" aria-pressed=\"false\"><img class=\"merged\" alt=\"\"" + size
                + " /><img class=\"plain\" alt=\"" + Html.escape(prompt + ", unmerged") + "\"" + size
                + " /><span class=\"badge merged\" aria-hidden=\"true\"></span>"
                + "<span class=\"badge plain\" aria-hidden=\"true\">unmerged</span></button>");
    }

    private ObjectNode cardData(List<Row> rows, List<String> images) {
        ObjectNode card = MAPPER.createObjectNode();
        card.put("prompt", rows.get(0).shot().prompt().text());
        card.put("unmerged", images.get(0));
        ArrayNode merged = card.putArray("merged");
        ArrayNode told = card.putArray("told");
        ArrayNode good = card.putArray("good");
        for (int i = 1; i < rows.size(); i++) {
            merged.add(images.get(i));
            told.add(told(rows.get(i), rows.get(0)));
            OptionalDouble goodness = goodness(rows.get(i));
            if (goodness.isPresent()) {
                good.add(goodness.getAsDouble());
            } else {
                good.addNull();
            }
        }
        return card;
    }

    private OptionalDouble goodness(Row row) {
        return result.mainScale().stream()
                .flatMapToDouble(scale -> row.measure(scale.name()).stream().map(scale::goodness))
                .filter(Double::isFinite)
                .findFirst();
    }

    private String told(Row row, Row unmerged) {
        List<String> parts = new ArrayList<>();
        for (Scale scale : result.scales()) {
            OptionalDouble value = row.measure(scale.name());
            if (value.isPresent()) {
                parts.add(scale.title() + " "
                        + (Double.isFinite(value.getAsDouble())
                                ? ResultTable.people(value.getAsDouble())
                                : "without bound"));
            }
        }
        parts.add(String.format(Locale.ROOT, "%.2fx", unmerged.perStep() / row.perStep()));
        if (row.rank().isPresent()) {
            parts.add("rank " + row.rank().getAsInt());
        }
        return String.join(" · ", parts);
    }

    private void maps() {
        Html cards = new Html();
        long left = MAP_BUDGET;
        for (List<Row> rows : byPrompt) {
            for (Row row : rows) {
                Optional<ResultStore.KeptMap> map = row.shot().setting().merges()
                        ? ReportImages.find(row, store).map()
                        : Optional.empty();
                if (map.isEmpty()) {
                    continue;
                }
                String png = ReportImages.png(map.get().image());
                left -= png.length();
                if (left >= 0) {
                    map(cards, row, map.get(), png);
                }
            }
        }
        if (!cards.toString().isEmpty()) {
            html.raw("<section id=\"maps\">\n<h2>Merge maps</h2>\n<p class=\"lead\">");
            html.text(
                    "Which tokens a block saw as one in the middle step. Each group is filled with the mean colour of its"
                            + " pixels, and outlined in a colour of its own: parts of the image with outlines of one colour were"
                            + " one token, wherever they lie. A token that stayed alone is outlined in a darker shade of its"
                            + " own colour. For todo the tokens kept as keys are shown, the dropped ones black.");
            html.raw("</p>\n<ul class=\"cards\">\n").raw(cards.toString()).raw("</ul>\n</section>\n");
        }
    }

    private static void map(Html cards, Row row, ResultStore.KeptMap map, String png) {
        String name = row.shot().prompt().text() + ", " + row.shot().setting().label();
        cards.raw("<li><img class=\"map\" src=\"" + png + "\" alt=\"" + Html.escape("Merge map of " + name)
                + "\" width=\"" + map.image().getWidth() + "\" height=\""
                + map.image().getHeight() + "\" />");
        cards.raw("<p class=\"prompt\">").text(name).raw("</p><p class=\"told\">");
        cards.text(map.tokens() + " tokens into " + map.groups() + ", step " + (map.step() + 1))
                .raw("</p></li>\n");
    }

    private void notes() {
        html.raw("<h2>How to read this</h2>\n<ul>\n");
        html.element(
                        "li",
                        "All images of a prompt have the same seed; each merged one is measured against the unmerged one.")
                .raw("\n");
        html.element(
                        "li",
                        "Times are medians, of the steps of an image and of the images; quality is a mean. Below a number: where"
                                + " the true value lies with 95% confidence (bootstrap over the prompts).")
                .raw("\n");
        if (summaries.stream().anyMatch(summary -> !summary.overTomesd().isEmpty())) {
            html.element(
                            "li",
                            "\"Over tomesd\" is the difference from tomesd's exact behaviour at the same ratio, prompt by"
                                    + " prompt; if its interval does not hold 0, it is hardly chance.")
                    .raw("\n");
        }
        result.setDistances().ifPresent(distances -> html.element(
                        "li",
                        "The Frechet distance is between the merged images as a set and the unmerged ones, by the features of "
                                + distances.network() + "; it falls with the number of images.")
                .raw("\n"));
        if (result.rows().stream().anyMatch(row -> row.rank().isPresent())) {
            html.element(
                            "li",
                            "Each image is looked up among the small images of all motifs. Its rank is how many other motifs"
                                    + " it is nearer to than to the one that was asked for: 0 is best. Top 1 is the share of the"
                                    + " images of rank 0, top 10 of those of rank 9 or less.")
                    .raw("\n");
        }
        html.element("li", "The images here are JPEG copies; the originals are in the folder images beside this file.")
                .raw("\n</ul>\n");
    }

    private Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>(report.settings());
        facts.values().removeIf(String::isEmpty);
        facts.putAll(report.machine().facts());
        facts.put("date", report.date().toString());
        return facts;
    }
}
