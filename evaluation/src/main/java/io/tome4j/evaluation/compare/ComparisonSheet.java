package io.tome4j.evaluation.compare;

import io.tome4j.evaluation.measures.Distance;
import io.tome4j.evaluation.run.MergeMap;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The panels of a comparison in one image: for each variant a row that begins with the unmerged image, below it the
 * differences and the merge maps.
 */
public final class ComparisonSheet {
    /** How much stronger differences are drawn than they are. */
    public static final int AMPLIFICATION = 4;

    private static final int GAP = 8;
    private static final int NARROWEST_COLUMN = 230; // or the labels do not fit
    private static final int LABEL_LINES = 3;
    private static final int FONT_SIZE = 14;
    private static final int LINE_HEIGHT = FONT_SIZE * 4 / 3;

    private final String title;
    private final List<Panel> panels;
    private final boolean difference;
    private final boolean labels;

    /**
     * @param title what to write above
     * @param panels the unmerged image and one or more others, as {@link Comparison#run} gives them
     * @param difference whether to add the difference images
     * @param labels whether to write anything: {@link Fonts#areThere}
     */
    public ComparisonSheet(String title, List<Panel> panels, boolean difference, boolean labels) {
        if (panels.size() < 2) {
            throw new IllegalArgumentException("A comparison has the unmerged image and at least one other");
        }
        this.title = title;
        this.panels = List.copyOf(panels);
        this.difference = difference;
        this.labels = labels;
    }

    /** What stands in a place of the grid. */
    private record Tile(Optional<BufferedImage> image, List<String> lines) {}

    /** The image; no column is narrower than its labels need. */
    public BufferedImage image() {
        List<List<Tile>> rows = rows();
        BufferedImage first = panels.get(0).image();
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        int columnWidth = Math.max(NARROWEST_COLUMN, first.getWidth()) + GAP;
        int rowHeight = first.getHeight() + LABEL_LINES * LINE_HEIGHT + GAP;
        int top = LINE_HEIGHT + 2 * GAP;
        BufferedImage sheet = new BufferedImage(
                columns * columnWidth + GAP, top + rows.size() * rowHeight, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        try {
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
            graphics.setColor(Color.BLACK);
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            write(graphics, Font.BOLD, List.of(title), sheet.getWidth() - 2 * GAP, GAP, GAP + FONT_SIZE);
            for (int row = 0; row < rows.size(); row++) {
                for (int column = 0; column < rows.get(row).size(); column++) {
                    Tile tile = rows.get(row).get(column);
                    int x = GAP + column * columnWidth;
                    int y = top + row * rowHeight;
                    tile.image().ifPresent(image -> graphics.drawImage(image, x, y, null));
                    int baseline = y + first.getHeight() + FONT_SIZE;
                    write(graphics, Font.PLAIN, tile.lines(), columnWidth - GAP, x, baseline);
                }
            }
        } finally {
            graphics.dispose();
        }
        return sheet;
    }

    /** Lines below each other, each as far as it fits. */
    private void write(Graphics2D graphics, int style, List<String> lines, int width, int x, int firstBaseline) {
        if (!labels) {
            return;
        }
        graphics.setFont(new Font(Font.SANS_SERIF, style, FONT_SIZE));
        FontMetrics metrics = graphics.getFontMetrics();
        int baseline = firstBaseline;
        for (String line : lines) {
            graphics.drawString(fitting(line, metrics, width), x, baseline);
            baseline += LINE_HEIGHT;
        }
    }

    private List<List<Tile>> rows() {
        Panel unmerged = panels.get(0);
        Map<String, List<Panel>> byVariant = new LinkedHashMap<>();
        for (Panel panel : panels.subList(1, panels.size())) {
            byVariant
                    .computeIfAbsent(panel.setting().variant(), variant -> new ArrayList<>())
                    .add(panel);
        }
        List<List<Tile>> rows = new ArrayList<>();
        for (List<Panel> merged : byVariant.values()) {
            List<Tile> images = new ArrayList<>(List.of(new Tile(Optional.of(unmerged.image()), lines(unmerged))));
            List<Tile> differences = new ArrayList<>(List.of(new Tile(Optional.empty(), List.of())));
            List<Tile> maps = new ArrayList<>(List.of(new Tile(Optional.empty(), List.of())));
            for (Panel panel : merged) {
                images.add(new Tile(Optional.of(panel.image()), lines(panel)));
                differences.add(new Tile(
                        Optional.of(difference(unmerged.image(), panel.image())),
                        List.of("difference x " + AMPLIFICATION)));
                panel.map().ifPresent(map -> maps.add(new Tile(Optional.of(map.draw(panel.image())), lines(map))));
            }
            rows.add(images);
            if (difference) {
                rows.add(differences);
            }
            if (maps.size() > 1) {
                rows.add(maps);
            }
        }
        return rows;
    }

    /** A block's name is too long for one line, so its last part has one of its own. */
    static List<String> lines(MergeMap map) {
        String block = map.block();
        int half = block.lastIndexOf('.', block.lastIndexOf('.') - 1) + 1;
        return List.of(
                map.grid().tokens() + " tokens as " + map.groups() + ", step " + (map.step() + 1),
                block.substring(0, half),
                block.substring(half));
    }

    private static List<String> lines(Panel panel) {
        String time = String.format(Locale.ROOT, "%.3f s a step", panel.perStep());
        if (!panel.setting().saves()) {
            return List.of(panel.label(), time);
        }
        List<String> distances = panel.distances().stream().map(Distance::shown).toList();
        return List.of(
                panel.label(),
                String.format(Locale.ROOT, "%s, %.2f times as fast", time, panel.speedUp()),
                String.join(", ", distances));
    }

    /** As much of a text as fits. */
    private static String fitting(String text, FontMetrics metrics, int width) {
        if (metrics.stringWidth(text) <= width) {
            return text;
        }
        int end = text.length();
        while (end > 0 && metrics.stringWidth(text.substring(0, end) + "...") > width) {
            end = text.offsetByCodePoints(end, -1);
        }
        return text.substring(0, end) + "...";
    }

    /**
     * The distance of each channel, {@value #AMPLIFICATION} times; what exceeds 255 is 255. Equal pixels are black.
     *
     * @throws IllegalArgumentException if the images' sizes differ
     */
    static BufferedImage difference(BufferedImage a, BufferedImage b) {
        if (a.getWidth() != b.getWidth() || a.getHeight() != b.getHeight()) {
            throw new IllegalArgumentException("Images of " + a.getWidth() + " x " + a.getHeight() + " and "
                    + b.getWidth() + " x " + b.getHeight() + " pixels cannot be compared");
        }
        BufferedImage difference = new BufferedImage(a.getWidth(), a.getHeight(), BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < a.getHeight(); y++) {
            for (int x = 0; x < a.getWidth(); x++) {
                int first = a.getRGB(x, y);
                int second = b.getRGB(x, y);
                int rgb = 0;
                for (int shift = 16; shift >= 0; shift -= 8) {
                    int apart = Math.abs((first >> shift & 0xff) - (second >> shift & 0xff));
                    rgb |= Math.min(255, apart * AMPLIFICATION) << shift;
                }
                difference.setRGB(x, y, rgb);
            }
        }
        return difference;
    }
}
