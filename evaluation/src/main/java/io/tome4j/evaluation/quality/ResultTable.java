package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.Statistics;
import io.tome4j.evaluation.Statistics.Interval;
import io.tome4j.evaluation.quality.EvaluationResult.Summary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** An evaluation's numbers as tables: of all images for programs, of the settings for people. */
final class ResultTable {
    private ResultTable() {}

    /** A line an image, as RFC 4180 says, with names above; a measure that says nothing of an image is empty. */
    static String csv(EvaluationResult result) {
        List<String> measures = result.measures();
        List<String> names = new ArrayList<>(List.of(
                "number",
                "prompt",
                "category",
                "challenge",
                "seed",
                "setting",
                "variant",
                "method",
                "ratio",
                "image",
                "seconds_per_image",
                "seconds_per_step"));
        names.addAll(measures);
        boolean ranked = result.rows().stream().anyMatch(row -> row.rank().isPresent());
        if (ranked) {
            names.add("rank");
        }
        StringBuilder csv = new StringBuilder(line(names));
        for (Row row : result.rows()) {
            Shot shot = row.shot();
            Setting setting = shot.setting();
            List<String> cells = new ArrayList<>(List.of(
                    String.valueOf(shot.number()),
                    shot.prompt().text(),
                    shot.prompt().category(),
                    shot.prompt().challenge(),
                    shot.request().unsignedSeed().toString(),
                    setting.label(),
                    setting.variant(),
                    setting.merges() ? setting.merging().method().name().toLowerCase(Locale.ROOT) : "",
                    String.valueOf(setting.ratio()),
                    "images/" + shot.file() + ".png",
                    number(row.times().total()),
                    number(row.perStep())));
            measures.forEach(name -> cells.add(number(row.measure(name))));
            if (ranked) {
                cells.add(row.rank().isPresent() ? String.valueOf(row.rank().getAsInt()) : "");
            }
            csv.append(line(cells));
        }
        return csv.toString();
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? number(value.getAsDouble()) : "";
    }

    private static String number(double value) {
        return Double.isFinite(value) ? String.valueOf(EvaluationReport.rounded(value)) : "inf";
    }

    private static String line(List<String> cells) {
        return cells.stream().map(ResultTable::quoted).collect(Collectors.joining(",", "", "\n"));
    }

    private static String quoted(String value) {
        return value.matches("(?s).*[\",\n\r].*") ? '"' + value.replace("\"", "\"\"") + '"' : value;
    }

    /** The names of the columns, then a line a setting. */
    static List<List<String>> settings(EvaluationResult result) {
        List<Summary> summaries = result.summaries();
        List<String> names = new ArrayList<>(List.of("setting", "speed-up"));
        result.scales().forEach(scale -> names.add(scale.title()));
        Optional<Scale> compared = result.mainScale().filter(scale -> summaries.stream()
                .anyMatch(summary -> !summary.overTomesd().isEmpty()));
        compared.ifPresent(scale -> names.add(scale.title() + " over tomesd"));
        if (result.setDistances().isPresent()) {
            names.add("Frechet distance");
        }
        boolean ranked = summaries.get(0).top1().isPresent();
        if (ranked) {
            names.addAll(List.of("top 1", "top 10"));
        }
        names.addAll(List.of("s a step", "s an image"));
        List<List<String>> lines = new ArrayList<>(List.of(names));
        for (Summary summary : summaries) {
            List<String> cells = new ArrayList<>();
            cells.add(summary.setting().label());
            cells.add(speedUp(summary.speedUp()));
            result.measures()
                    .forEach(name -> cells.add(withInterval(summary.measures().get(name))));
            compared.ifPresent(scale -> cells.add(signed(summary.overTomesd().get(scale.name()))));
            if (result.setDistances().isPresent()) {
                cells.add(
                        summary.frechet().isPresent() ? people(summary.frechet().getAsDouble()) : "-");
            }
            if (ranked) {
                cells.add(summary.top1().map(top -> percent(top.value())).orElse("-"));
                cells.add(summary.top10().map(top -> percent(top.value())).orElse("-"));
            }
            cells.add(people(summary.perStep().median()));
            cells.add(people(summary.perImage().median()));
            lines.add(cells);
        }
        return lines;
    }

    private static String speedUp(Statistics statistics) {
        Interval interval = statistics.medianInterval();
        return String.format(Locale.ROOT, "%.2fx", statistics.median())
                + (interval.isKnown() && interval.high() > interval.low()
                        ? String.format(Locale.ROOT, " (%.2f to %.2f)", interval.low(), interval.high())
                        : "");
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    /** Four digits that count. */
    static String people(double value) {
        double size = Math.abs(value);
        int digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    private static String withInterval(@Nullable Statistics statistics) {
        if (statistics == null) {
            return "-";
        }
        if (statistics.count() == 0) {
            return "equal";
        }
        Interval interval = statistics.meanInterval();
        return people(statistics.mean())
                + (interval.isKnown() ? " (" + people(interval.low()) + " to " + people(interval.high()) + ")" : "");
    }

    private static String signed(@Nullable Statistics statistics) {
        if (statistics == null || statistics.count() == 0) {
            return "-";
        }
        Interval interval = statistics.meanInterval();
        return plus(statistics.mean())
                + (interval.isKnown() ? " (" + plus(interval.low()) + " to " + plus(interval.high()) + ")" : "");
    }

    private static String plus(double value) {
        return (value > 0 ? "+" : "") + people(value);
    }

    /** The settings with columns that line up, for a terminal. */
    static String text(EvaluationResult result) {
        List<List<String>> lines = settings(result);
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder padded = new StringBuilder();
            for (int column = 0; column < line.size(); column++) {
                int index = column;
                int width = lines.stream()
                        .mapToInt(cells -> cells.get(index).length())
                        .max()
                        .orElse(0);
                padded.append(line.get(column))
                        .append(" ".repeat(width + 2 - line.get(column).length()));
            }
            text.append(padded.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
