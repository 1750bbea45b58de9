package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.page.Html;
import io.tome4j.evaluation.quality.Pareto.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Quality against time as an SVG: a mark a setting, its interval, and the front of those that none beats. */
final class TradeOffChart {
    private static final int WIDTH = 400;
    private static final int HEIGHT = 300;
    private static final int LEFT = 60;
    private static final int RIGHT = 14;
    private static final int TOP = 14;
    private static final int BOTTOM = 46;
    private static final double RADIUS = 5;
    private static final double LETTER = 7.6; // about how wide a letter of a label is
    private static final double LINE = 14;

    private final Scale scale;
    private final List<Point> points;
    private final List<Point> front;
    private final List<String> variants;
    private final double unmerged;
    private final Axis x;
    private final Axis y;
    private final List<Box> taken = new ArrayList<>();
    private final Html svg = new Html();

    private record Box(double left, double top, double right, double bottom) {
        boolean meets(Box other) {
            return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
        }

        static Box around(double x, double y, double half) {
            return new Box(x - half, y - half, x + half, y + half);
        }
    }

    private TradeOffChart(Scale scale, List<Point> points, double unmerged) {
        this.scale = scale;
        this.points = points;
        this.front = front(points, unmerged);
        this.variants = points.stream().map(Point::variant).distinct().toList();
        this.unmerged = unmerged;
        this.x = Axis.around(
                Math.min(
                        unmerged, points.stream().mapToDouble(Point::cost).min().orElse(unmerged)),
                Math.max(
                        unmerged, points.stream().mapToDouble(Point::cost).max().orElse(unmerged)));
        this.y = Axis.around(
                points.stream().mapToDouble(Point::low).min().orElse(0),
                points.stream().mapToDouble(Point::high).max().orElse(1));
    }

    /** Those that neither another one nor no merging beats, by rising cost. */
    static List<Point> front(List<Point> points, double unmerged) {
        return Pareto.front(
                points.stream().filter(point -> point.cost() < unmerged).toList());
    }

    /**
     * @param scale what the vertical axis shows
     * @param points at least one; the cost is seconds a step
     * @param unmerged seconds a step without merging
     * @return a figure with the SVG and its legend
     */
    static String of(Scale scale, List<Point> points, double unmerged) {
        return new TradeOffChart(scale, points, unmerged).figure();
    }

    private String figure() {
        svg.raw("<figure class=\"chart\">\n<h3>")
                .text(scale.title() + (scale.lowerIsBetter() ? " (lower is better)" : ""))
                .raw("</h3>\n");
        svg.raw(format(
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n",
                WIDTH, HEIGHT, Html.escape(description())));
        axes();
        unmergedLine();
        frontLine();
        points.forEach(this::whisker);
        for (Point point : points) {
            taken.add(Box.around(px(point), py(point), RADIUS + 1));
        }
        points.forEach(this::mark);
        points.forEach(this::label);
        svg.raw("</svg>\n<figcaption class=\"legend\">");
        for (int i = 0; i < variants.size(); i++) {
            svg.raw("<span><svg viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" aria-hidden=\"true\">")
                    .raw(shape(i, 7, 7, ""))
                    .raw("</svg> ")
                    .text(variants.get(i))
                    .raw("</span> ");
        }
        svg.raw("<span><svg viewBox=\"0 0 20 14\" width=\"20\" height=\"14\" aria-hidden=\"true\">"
                + "<line class=\"front\" x1=\"1\" y1=\"7\" x2=\"19\" y2=\"7\" /></svg> Pareto front</span>");
        return svg.raw("</figcaption>\n</figure>\n").toString();
    }

    private String description() {
        return scale.title() + " against seconds a step. On the Pareto front: "
                + (front.isEmpty()
                        ? "no setting, for none is faster than no merging"
                        : front.stream().map(Point::name).collect(Collectors.joining(", ")));
    }

    private double px(double cost) {
        return LEFT + x.place(cost) * (WIDTH - LEFT - RIGHT);
    }

    private double py(double value) {
        return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
    }

    private double px(Point point) {
        return px(point.cost());
    }

    private double py(Point point) {
        return py(point.quality());
    }

    private void axes() {
        for (double mark : y.marks()) {
            line("grid", LEFT, py(mark), WIDTH - RIGHT, py(mark));
            text("end", LEFT - 6, py(mark) + 4, y.text(scale.lowerIsBetter() ? -mark : mark));
        }
        for (double mark : x.marks()) {
            line("grid", px(mark), TOP, px(mark), HEIGHT - BOTTOM);
            text("middle", px(mark), HEIGHT - BOTTOM + 16, x.text(mark));
        }
        text("middle", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 6, "seconds a step (faster is left)");
    }

    private void unmergedLine() {
        double place = px(unmerged);
        line("unmerged", place, TOP, place, HEIGHT - BOTTOM);
        String name = "unmerged";
        boolean left = place + name.length() * LETTER + 6 > WIDTH - RIGHT;
        double from = left ? place - 4 - name.length() * LETTER : place + 4;
        taken.add(new Box(from, HEIGHT - BOTTOM - 18, from + name.length() * LETTER, HEIGHT - BOTTOM - 4));
        text(left ? "end" : "start", left ? place - 4 : place + 4, HEIGHT - BOTTOM - 7, name);
    }

    private void frontLine() {
        String path = front.stream()
                .map(point -> format("%.1f,%.1f", px(point), py(point)))
                .collect(Collectors.joining(" "));
        svg.raw("<polyline class=\"front\" points=\"" + path + "\" />\n");
    }

    private void whisker(Point point) {
        if (point.high() > point.low()) {
            svg.raw(format(
                    "<line class=\"whisker\" style=\"stroke: %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" />%n",
                    colour(variants.indexOf(point.variant())),
                    px(point),
                    py(point.low()),
                    px(point),
                    py(point.high())));
        }
    }

    private void mark(Point point) {
        int variant = variants.indexOf(point.variant());
        String told = format(
                "%s: %s %.4g, %.4g s a step", point.name(), scale.title(), Math.abs(point.quality()), point.cost());
        if (front.contains(point)) {
            svg.raw(format("<circle class=\"on-front\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\" />%n", px(point), py(point)));
        }
        svg.raw(shape(variant, px(point), py(point), "<title>" + Html.escape(told) + "</title>"));
    }

    private static String colour(int variant) {
        return "var(--c" + (variant % 6 + 1) + ")";
    }

    /** Colours are not all that tells variants apart. */
    private static String shape(int variant, double x, double y, String content) {
        String style = " style=\"fill: " + colour(variant) + "\">" + content;
        return switch (variant % 4) {
            case 0 -> format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, RADIUS) + style + "</circle>\n";
            case 1 ->
                format("<rect x=\"%.1f\" y=\"%.1f\" width=\"9\" height=\"9\"", x - 4.5, y - 4.5) + style + "</rect>\n";
            case 2 -> format("<path d=\"M%.1f %.1fl6 10.5h-12z\"", x, y - 6.5) + style + "</path>\n";
            default -> format("<path d=\"M%.1f %.1fl6 6l-6 6l-6 -6z\"", x, y - 6) + style + "</path>\n";
        };
    }

    /** Each has its ratio beside it, where there is room; what it is called is in the legend. */
    private void label(Point point) {
        String text = point.name().substring(point.name().lastIndexOf(' ') + 1);
        double width = text.length() * LETTER;
        double centreX = px(point);
        double centreY = py(point);
        double[][] places = {
            {centreX + 10, centreY + 15}, // the front rises to the right: labels beside it first
            {centreX - 10 - width, centreY - 7},
            {centreX + 10, centreY - 7},
            {centreX - 10 - width, centreY + 15},
            {centreX + 12, centreY + 4},
            {centreX - 12 - width, centreY + 4},
            {centreX - width / 2, centreY - 12},
            {centreX - width / 2, centreY + 21}
        };
        for (double[] place : places) {
            Box box = new Box(place[0], place[1] - LINE + 2, place[0] + width, place[1] + 2);
            boolean inside =
                    box.left() > LEFT && box.right() < WIDTH && box.top() > 0 && box.bottom() < HEIGHT - BOTTOM;
            if (inside && taken.stream().noneMatch(box::meets)) {
                taken.add(box);
                text("start", place[0], place[1], text);
                return;
            }
        }
    }

    private void line(String kind, double x1, double y1, double x2, double y2) {
        svg.raw(format(
                "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" />%n", kind, x1, y1, x2, y2));
    }

    private void text(String anchor, double atX, double atY, String text) {
        svg.raw(format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", atX, atY, anchor))
                .text(text)
                .raw("</text>\n");
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format.replace("%n", "\n"), values);
    }
}
