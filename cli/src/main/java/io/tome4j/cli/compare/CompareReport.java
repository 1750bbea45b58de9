package io.tome4j.cli.compare;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.session.Report;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.compare.Panel;
import io.tome4j.evaluation.measures.Distance;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What came of {@code tome compare}.
 *
 * @param model its name
 * @param engine the start-up line
 * @param panels the images
 * @param file the image
 * @param maps the files of the merge maps, by the panel's label
 */
record CompareReport(String model, String engine, List<Panel> panels, Path file, Map<String, Path> maps)
        implements Report {
    private Request request() {
        return panels.get(0).result().request();
    }

    /** What the image has on top. */
    String title() {
        Request request = request();
        return String.format(
                Locale.ROOT,
                "%s - %s, seed %s, %d x %d, %d steps",
                request.prompts().get(0),
                model,
                request.unsignedSeed(),
                request.width(),
                request.height(),
                request.steps());
    }

    /** A line an image, and the files. */
    @Override
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Panel panel : panels) {
            text.append(String.format(
                    Locale.ROOT, "%-12s %8.3f s a step  %5.2fx", panel.label(), panel.perStep(), panel.speedUp()));
            for (Distance distance : panel.distances()) {
                text.append("  ").append(distance.shown());
            }
            text.append(System.lineSeparator());
        }
        text.append(file);
        maps.values().forEach(map -> text.append(System.lineSeparator()).append(map));
        return text.toString();
    }

    /** One object; a distance without bound between equal images is null, for JSON has no infinity. */
    @Override
    public ObjectNode json() {
        ObjectNode json = ReportJson.object();
        json.put("file", file.toString());
        json.put("model", model);
        json.put("engine", engine);
        ReportJson.putRequest(json, request());
        ArrayNode rows = json.putArray("rows");
        panels.forEach(panel -> put(rows.addObject(), panel));
        return json;
    }

    private void put(ObjectNode json, Panel panel) {
        json.put("label", panel.label());
        json.put("seconds_per_step", panel.perStep());
        json.put("seconds_denoising", panel.denoising());
        json.put("speed_up", panel.speedUp());
        if (panel.merging().merges()) {
            json.set("merging", OptionsJson.of(panel.merging().options()));
            json.put("tokens_before", panel.merging().tokensBefore());
            json.put("tokens_after", panel.merging().tokensAfter());
        }
        for (Distance distance : panel.distances()) {
            if (Double.isFinite(distance.value())) {
                json.put(distance.measure().name(), distance.value());
            } else {
                json.putNull(distance.measure().name());
            }
        }
        panel.map().ifPresent(map -> {
            ObjectNode node = json.putObject("map");
            node.put("block", map.block());
            node.put("step", map.step() + 1);
            node.put("tokens", map.grid().tokens());
            node.put("groups", map.groups());
            Optional.ofNullable(maps.get(panel.label())).ifPresent(path -> node.put("file", path.toString()));
        });
    }
}
