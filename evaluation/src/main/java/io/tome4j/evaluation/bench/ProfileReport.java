package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.evaluation.bench.StepProfile.PartCost;
import io.tome4j.tensor.Profile.Part;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * Where steps' time goes.
 *
 * @param machine what they ran on
 * @param settings what was asked for
 * @param peak the most that the machine reaches
 * @param profiles one for each cell
 * @param date when it ended, UTC
 */
public record ProfileReport(
        Machine machine, BenchSettings settings, MachinePeak peak, List<StepProfile> profiles, Instant date)
        implements Report {
    private static final double GIGA = 1e9;
    private static final String WHOLE = "whole step";
    private static final String REST = "rest";

    public ProfileReport {
        profiles = List.copyOf(profiles);
    }

    /**
     * Measures the machine's peak and profiles the settings' cells.
     *
     * @throws CancellationException if the listener stopped it
     */
    public static ProfileReport measure(BenchModel model, BenchSettings settings, BenchListener listener) {
        MachinePeak peak = MachinePeak.measure(settings.placement());
        listener.note(String.format(
                Locale.ROOT,
                "Peak of this machine: convolution %.0f, linear %.0f GFLOP/s",
                peak.convolution() / GIGA,
                peak.linear() / GIGA));
        model.build(settings.variants());
        Denoising denoising = new Denoising(model, settings.merging());
        List<StepProfile> profiles = new ArrayList<>();
        for (Plan.Group group : Plan.of(settings)) {
            for (Cell cell : group.cells()) {
                if (!listener.goOn()) {
                    throw new CancellationException("Stopped between two cells");
                }
                StepProfile profile = StepProfile.of(denoising, settings, cell);
                listener.note(cell.describe() + ": " + Numbers.seconds(profile.seconds()) + " s a step");
                profiles.add(profile);
            }
        }
        return new ProfileReport(
                Machine.here(settings.placement()), settings.resolvedFor(model), peak, profiles, BenchReport.now());
    }

    @Override
    public String title() {
        return "Where a denoising step's time goes, " + settings.model() + ", "
                + Json.lower(settings.placement().dtype());
    }

    /** Each part by its name, then the rest, then the whole. */
    private static Map<String, PartCost> named(StepProfile profile) {
        Map<String, PartCost> named = new LinkedHashMap<>();
        for (Part part : Part.values()) {
            if (profile.parts().containsKey(part)) {
                named.put(Json.lower(part), profile.parts().get(part));
            }
        }
        named.put(REST, new PartCost(0, profile.rest(), 0));
        named.put(WHOLE, new PartCost(0, profile.seconds(), profile.flops()));
        return named;
    }

    @Override
    public List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        for (StepProfile profile : profiles) {
            List<List<String>> rows = new ArrayList<>();
            named(profile).forEach((name, cost) -> {
                boolean counted = cost.flops() > 0;
                double speed = cost.flops() / cost.seconds();
                rows.add(List.of(
                        name,
                        Numbers.seconds(cost.seconds()),
                        format("%.1f%%", 100 * cost.seconds() / profile.seconds()),
                        cost.calls() > 0 ? format("%.0f", cost.calls()) : Numbers.NONE,
                        counted ? format("%.4g", cost.flops() / GIGA) : Numbers.NONE,
                        counted ? format("%.4g", speed / GIGA) : Numbers.NONE,
                        counted ? format("%.0f%%", 100 * speed / peak.most()) : Numbers.NONE));
            });
            tables.add(new Table(
                    profile.cell().describe(),
                    List.of("part", "s/step", "share", "calls", "GFLOP", "GFLOP/s", "of the peak"),
                    rows));
        }
        return tables;
    }

    @Override
    public List<Chart> charts() {
        List<Chart> charts = new ArrayList<>();
        for (StepProfile profile : profiles) {
            List<Bar> bars = new ArrayList<>();
            named(profile).forEach((name, cost) -> {
                if (!name.equals(WHOLE)) {
                    double share = 100 * cost.seconds() / profile.seconds();
                    bars.add(new Bar(
                            name,
                            cost.seconds(),
                            format("%s s, %.1f%%", Numbers.seconds(cost.seconds()), share),
                            bars.size()));
                }
            });
            charts.add(new Chart(profile.cell().describe(), bars));
        }
        return charts;
    }

    @Override
    public List<ObjectNode> rows() {
        List<ObjectNode> rows = new ArrayList<>();
        for (StepProfile profile : profiles) {
            named(profile).forEach((name, cost) -> {
                ObjectNode row = Json.MAPPER.createObjectNode();
                row.put("resolution", profile.cell().resolution());
                row.put("batch", profile.cell().batch());
                row.put("variant", profile.cell().variant().label());
                row.put("ratio", profile.cell().ratio());
                row.put("part", name);
                row.put("seconds", cost.seconds());
                row.put("share", cost.seconds() / profile.seconds());
                row.put("calls", cost.calls());
                row.put("flops", cost.flops());
                row.put("flops_per_second", cost.seconds() == 0 ? 0 : cost.flops() / cost.seconds());
                row.put("share_of_peak", cost.seconds() == 0 ? 0 : cost.flops() / cost.seconds() / peak.most());
                rows.add(row);
            });
        }
        return rows;
    }

    @Override
    public ObjectNode json() {
        ObjectNode json = Report.super.json();
        json.putObject("peak_flops_per_second")
                .put("convolution", peak.convolution())
                .put("linear", peak.linear());
        return json;
    }

    @Override
    public List<String> notes() {
        return List.of(
                format(
                        "The peak, measured just before: convolution %.0f, linear %.0f GFLOP/s; shares are of the larger.",
                        peak.convolution() / GIGA, peak.linear() / GIGA),
                "Attention is scores, softmax and weighted values, its projections are linear; merging is merging and"
                        + " unmerging; the rest is element-wise operations, copies and the scheduler.",
                "A multiplication with its addition counts as two operations; only those of convolutions, linear layers"
                        + " and attention are counted. Measuring the parts takes a little time of its own.");
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
