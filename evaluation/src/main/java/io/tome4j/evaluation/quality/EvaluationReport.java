package io.tome4j.evaluation.quality;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.evaluation.bench.Machine;
import io.tome4j.evaluation.quality.EvaluationResult.Group;
import io.tome4j.evaluation.quality.EvaluationResult.Summary;
import io.tome4j.evaluation.quality.Statistics.Interval;
import io.tome4j.evaluation.retrieval.Share;
import io.tome4j.merging.ToMeOptions;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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

    private static void put(ObjectNode json, String name, List<Group> groups) {
        ArrayNode array = json.putArray(name);
        for (Group group : groups) {
            ObjectNode node = array.addObject();
            node.put("name", group.name());
            node.put("prompts", group.prompts());
            ArrayNode summaries = node.putArray("summary");
            group.summaries().forEach(summary -> put(summaries.addObject(), summary, false));
        }
    }

    private static void put(ObjectNode json, Summary summary, boolean options) {
        json.put("setting", summary.setting().label());
        json.put("variant", summary.setting().variant());
        json.put("ratio", summary.setting().ratio());
        if (options) {
            summary.setting().merging().ifPresent(merging -> json.set("merging", merging(merging)));
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

    private static ObjectNode merging(ToMeOptions merging) {
        ObjectNode json = MAPPER.valueToTree(merging);
        lowerCase(json);
        return json;
    }

    private static void lowerCase(ObjectNode json) {
        json.properties().forEach(entry -> {
            if (entry.getValue() instanceof ObjectNode nested) {
                lowerCase(nested);
            } else if (entry.getValue().isTextual()) {
                json.put(entry.getKey(), entry.getValue().asText().toLowerCase(Locale.ROOT));
            }
        });
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
