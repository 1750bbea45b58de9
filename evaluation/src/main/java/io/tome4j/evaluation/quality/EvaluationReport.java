package io.tome4j.evaluation.quality;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.Share;
import io.tome4j.evaluation.Statistics;
import io.tome4j.evaluation.Statistics.Interval;
import io.tome4j.evaluation.bench.Machine;
import io.tome4j.evaluation.quality.EvaluationResult.Group;
import io.tome4j.evaluation.quality.EvaluationResult.Summary;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.tensor.TomeException;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An evaluation's result with all that is needed to understand it.
 *
 * @param model what the model is called
 * @param machine what it ran on
 * @param settings all that the images depend on but how they are merged, by name
 * @param result what came of it
 * @param date when it ended
 */
public record EvaluationReport(
        String model, Machine machine, Map<String, String> settings, EvaluationResult result, Instant date) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public EvaluationReport {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** Settings, machine, and what is said of each setting of merging, of all prompts and of each group of them. */
    public ObjectNode json() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("measure", "quality");
        json.put("model", model);
        json.put("date", date.toString());
        json.set("machine", MAPPER.valueToTree(machine));
        json.set("settings", MAPPER.valueToTree(settings));
        json.put("width", result.request().width());
        json.put("height", result.request().height());
        json.put("prompts", result.prompts());
        result.setDistances().ifPresent(distances -> json.put("frechet_features", distances.network()));
        ArrayNode summaries = json.putArray("summary");
        result.summaries().forEach(summary -> put(summaries.addObject(), summary, true));
        put(json, "categories", result.categories());
        put(json, "challenges", result.challenges());
        return json;
    }

    /** A line an image, as RFC 4180 says, with names above. */
    public String csv() {
        return ResultTable.csv(result);
    }

    /** A line a setting, with columns that line up, for a terminal. */
    public String text() {
        return ResultTable.text(result);
    }

    /**
     * One HTML file that needs nothing from elsewhere, smaller than 25 MB.
     *
     * @param store has the images
     * @throws TomeException if one of them is gone
     */
    public String html(ResultStore store) {
        return ReportPage.of(this, store);
    }

    private void put(ObjectNode json, String name, List<Group> groups) {
        ArrayNode array = json.putArray(name);
        for (Group group : groups) {
            ObjectNode node = array.addObject();
            node.put("name", group.name());
            node.put("prompts", group.prompts());
            ArrayNode summaries = node.putArray("summary");
            group.summaries().forEach(summary -> put(summaries.addObject(), summary, false));
        }
    }

    private void put(ObjectNode json, Summary summary, boolean options) {
        json.put("setting", summary.setting().label());
        json.put("variant", summary.setting().variant());
        json.put("ratio", summary.setting().ratio());
        if (options && summary.setting().merges()) {
            json.set("merging", OptionsJson.of(summary.setting().merging()));
        }
        if (options && !summary.setting().savings().changed().isEmpty()) {
            Request changed = summary.setting().savings().applyTo(result.request());
            json.set(
                    "request",
                    OptionsJson.of(changed, summary.setting().savings().changed()));
        }
        put(json, "seconds_per_step", summary.perStep());
        put(json, "seconds_per_image", summary.perImage());
        put(json, "speed_up", summary.speedUp());
        summary.measures().forEach((name, statistics) -> put(json, name, statistics));
        if (!summary.overTomesd().isEmpty()) {
            ObjectNode differences = json.putObject("over_tomesd");
            summary.overTomesd().forEach((name, statistics) -> put(differences, name, statistics));
        }
        summary.frechet().ifPresent(distance -> put(json, "frechet_distance", distance));
        summary.top1().ifPresent(share -> put(json, "top1", share));
        summary.top10().ifPresent(share -> put(json, "top10", share));
    }

    private static void put(ObjectNode json, String name, Statistics statistics) {
        ObjectNode node = json.putObject(name);
        node.put("count", statistics.count());
        if (statistics.unbounded() > 0) {
            node.put("unbounded", statistics.unbounded());
        }
        put(node, "mean", statistics.mean());
        put(node, "mean_interval", statistics.meanInterval());
        put(node, "median", statistics.median());
        put(node, "median_interval", statistics.medianInterval());
    }

    /** JSON has no numbers without bound. */
    private static void put(ObjectNode json, String name, double value) {
        if (Double.isFinite(value)) {
            json.put(name, rounded(value));
        } else {
            json.putNull(name);
        }
    }

    private static void put(ObjectNode json, String name, Interval interval) {
        if (interval.isKnown()) {
            json.putArray(name).add(rounded(interval.low())).add(rounded(interval.high()));
        } else {
            json.putNull(name);
        }
    }

    private static void put(ObjectNode json, String name, Share share) {
        json.put(name, rounded(share.value()));
        json.putArray(name + "_interval").add(rounded(share.low())).add(rounded(share.high()));
    }

    static double rounded(double value) {
        return Math.round(value * 1e6) / 1e6;
    }
}
