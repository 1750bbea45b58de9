package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.evaluation.bench.CellResult.Status;
import io.tome4j.tensor.ComputeDevice;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * What a benchmark found.
 *
 * @param machine what it ran on
 * @param settings what was asked for
 * @param results one for each cell; kept in the order to show them
 * @param date when it ended, UTC
 */
public record BenchReport(Machine machine, BenchSettings settings, List<CellResult> results, Instant date)
        implements Report {
    private static final double GIGA = 1e9;
    private static final Comparator<Cell> SHOWN = Comparator.comparingInt(Cell::resolution)
            .thenComparingInt(Cell::batch)
            .thenComparing(Cell::variant)
            .thenComparingDouble(Cell::ratio);

    public BenchReport {
        results = results.stream()
                .sorted(Comparator.comparing(CellResult::cell, SHOWN))
                .toList();
    }

    /**
     * How much less time a cell takes than another variant of the same size and batch, in percent, as the reference counts
     * it: {@code 100 (1 - seconds / other seconds)}. Empty where either was not measured.
     */
    public OptionalDouble savedOver(Variant other, CellResult result) {
        OptionalDouble base = results.stream()
                .filter(candidate -> candidate.cell().variant() == other && sameGroup(candidate, result))
                .findFirst()
                .map(CellResult::seconds)
                .orElse(OptionalDouble.empty());
        return base.isPresent() && result.seconds().isPresent()
                ? OptionalDouble.of(100 * (1 - result.seconds().getAsDouble() / base.getAsDouble()))
                : OptionalDouble.empty();
    }

    private static boolean sameGroup(CellResult a, CellResult b) {
        return a.cell().resolution() == b.cell().resolution()
                && a.cell().batch() == b.cell().batch();
    }

    static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS);
    }

    @Override
    public String title() {
        return "Seconds a denoising step, " + settings.model() + ", "
                + Json.lower(settings.placement().dtype());
    }

    /** First the reference's own table, then all that is known of each cell. */
    @Override
    public List<Table> tables() {
        return List.of(referenceTable(), cellTable());
    }

    private Table referenceTable() {
        List<Cell> columns = columns();
        List<String> header = new ArrayList<>(List.of("size", "batch"));
        columns.forEach(column -> header.add(name(column)));
        List<List<String>> rows = new ArrayList<>();
        for (List<CellResult> group : groups()) {
            List<String> row = new ArrayList<>();
            row.add(String.valueOf(group.get(0).cell().resolution()));
            row.add(String.valueOf(group.get(0).cell().batch()));
            for (Cell column : columns) {
                row.add(group.stream()
                        .filter(result -> result.cell().variant() == column.variant()
                                && result.cell().ratio() == column.ratio())
                        .findFirst()
                        .map(this::secondsAndSaved)
                        .orElse(Numbers.NONE));
            }
            rows.add(row);
        }
        return new Table("Seconds a step, and time saved over vanilla", header, rows);
    }

    /** The variants, and the ratios of those that merge; resolution and batch mean nothing. */
    private List<Cell> columns() {
        List<Cell> columns = new ArrayList<>();
        for (Variant variant : Variant.values()) {
            if (settings.variants().contains(variant)) {
                (variant.merges() ? settings.ratios() : List.of(0.0))
                        .forEach(ratio -> columns.add(new Cell(0, 0, variant, ratio)));
            }
        }
        return columns;
    }

    private String secondsAndSaved(CellResult result) {
        if (result.status() != Status.MEASURED) {
            return shortStatus(result);
        }
        OptionalDouble saved = savedOver(Variant.VANILLA, result);
        return Numbers.seconds(result.seconds())
                + (saved.isPresent() && result.cell().variant() != Variant.VANILLA
                        ? String.format(Locale.ROOT, " (%+.1f%%)", saved.getAsDouble())
                        : "");
    }

    private static String shortStatus(CellResult result) {
        return result.status() == Status.OOM ? "OOM" : "dropped: " + result.note();
    }

    private Table cellTable() {
        List<List<String>> rows = new ArrayList<>();
        for (CellResult result : results) {
            Cell cell = result.cell();
            boolean measured = result.status() == Status.MEASURED;
            rows.add(List.of(
                    String.valueOf(cell.resolution()),
                    String.valueOf(cell.batch()),
                    cell.variant().label(),
                    cell.variant().merges() ? String.valueOf(cell.ratio()) : Numbers.NONE,
                    measured ? Numbers.seconds(result.seconds()) : shortStatus(result),
                    measured
                            ? Numbers.seconds(result.quantile(0.25)) + "-" + Numbers.seconds(result.quantile(0.75))
                            : Numbers.NONE,
                    measured ? String.valueOf(result.samples().size()) : Numbers.NONE,
                    Numbers.percent(savedOver(Variant.VANILLA, result)),
                    Numbers.percent(savedOver(Variant.EFFICIENT, result)),
                    Numbers.bytes(result.peakBytes())));
        }
        return new Table(
                "Each cell",
                List.of(
                        "size",
                        "batch",
                        "variant",
                        "ratio",
                        "s/step",
                        "quartiles",
                        "times",
                        "saved over vanilla",
                        "over efficient",
                        "peak memory"),
                rows);
    }

    @Override
    public List<Chart> charts() {
        List<Chart> charts = new ArrayList<>();
        for (List<CellResult> group : groups()) {
            Cell first = group.get(0).cell();
            String what = first.resolution() + " x " + first.resolution() + ", batch " + first.batch();
            List<Bar> seconds = new ArrayList<>();
            List<Bar> memory = new ArrayList<>();
            for (CellResult result : group) {
                String label = name(result.cell());
                int colour = List.of(Variant.values()).indexOf(result.cell().variant());
                boolean measured = result.status() == Status.MEASURED;
                seconds.add(new Bar(
                        label,
                        result.seconds().orElse(0),
                        measured ? Numbers.seconds(result.seconds()) + " s" : shortStatus(result),
                        colour));
                memory.add(new Bar(
                        label,
                        result.peakBytes().orElse(0) / GIGA,
                        measured ? Numbers.bytes(result.peakBytes()) : shortStatus(result),
                        colour));
            }
            charts.add(new Chart(what + ": seconds a step", seconds));
            charts.add(new Chart(what + ": peak memory", memory));
        }
        return charts;
    }

    private static String name(Cell cell) {
        return cell.variant().label() + (cell.variant().merges() ? " " + cell.ratio() : "");
    }

    private List<List<CellResult>> groups() {
        List<List<CellResult>> groups = new ArrayList<>();
        for (CellResult result : results) {
            if (groups.isEmpty() || !sameGroup(groups.get(groups.size() - 1).get(0), result)) {
                groups.add(new ArrayList<>());
            }
            groups.get(groups.size() - 1).add(result);
        }
        return groups;
    }

    @Override
    public List<ObjectNode> rows() {
        return results.stream().map(this::row).toList();
    }

    private ObjectNode row(CellResult result) {
        ObjectNode json = Json.of(result);
        Json.put(json, "speedup_percent", savedOver(Variant.VANILLA, result));
        Json.put(json, "speedup_over_efficient_percent", savedOver(Variant.EFFICIENT, result));
        return json;
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>();
        notes.add("Seconds are those of one denoising step of a batch of images: the UNet with guidance, so on twice as"
                + " many, and the scheduler. The median over the repetitions, and the quartiles.");
        if (settings.variants().stream().anyMatch(variant -> variant.reuseEvery() > 1)) {
            notes.add(
                    "With reuse3 one step in three computes all, and the others take its deep features over (branch 0):"
                            + " seconds are the mean of whole intervals of three.");
        }
        notes.add("Percentages are time saved, as the reference counts it: 100 (1 - seconds / seconds of what it is"
                + " compared with).");
        notes.add(
                settings.placement().device() == ComputeDevice.CUDA
                        ? "Peak memory is the most that the device's allocator handed out in a step, the model included."
                        : "Peak memory is the most that was resident of the whole process in a step, the model included.");
        long dropped = results.stream()
                .filter(result -> result.status() == Status.DROPPED)
                .count();
        if (dropped > 0) {
            notes.add(dropped + " of " + results.size() + " cells were dropped: the budget had no time left for them.");
        }
        results.stream()
                .filter(result -> result.status() == Status.OOM)
                .forEach(result -> notes.add("OOM: " + result.cell().describe() + ": " + result.note() + "."));
        return notes;
    }
}
