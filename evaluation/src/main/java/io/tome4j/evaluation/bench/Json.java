package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.evaluation.bench.CellResult.Status;
import io.tome4j.merging.ToMeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Settings, machines and results as JSON, and results back from it. */
final class Json {
    static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int SECOND_DIGITS = 6;

    private Json() {}

    static ObjectNode of(BenchSettings settings) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("model", settings.model());
        json.put("weights", settings.randomWeights() ? "random" : "checkpoint");
        json.put("device", lower(settings.placement().device()));
        json.put("dtype", lower(settings.placement().dtype()));
        json.set("resolutions", MAPPER.valueToTree(settings.resolutions()));
        json.set("batches", MAPPER.valueToTree(settings.batches()));
        json.set(
                "variants",
                MAPPER.valueToTree(
                        settings.variants().stream().map(Variant::label).toList()));
        json.set("ratio", MAPPER.valueToTree(settings.ratios()));
        json.set("merging", of(settings.merging()));
        json.put("steps", settings.steps());
        json.put("repeats", settings.repeats());
        json.put("guidance", true);
        return json;
    }

    /** All options but the ratio, which each row has its own of. */
    private static ObjectNode of(ToMeOptions merging) {
        return OptionsJson.of(merging).without("ratio");
    }

    static ObjectNode of(Machine machine) {
        return MAPPER.valueToTree(machine);
    }

    /** Status and numbers; absent ones are null. */
    static ObjectNode of(CellResult result) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("resolution", result.cell().resolution());
        json.put("batch", result.cell().batch());
        json.put("variant", result.cell().variant().label());
        json.put("ratio", result.cell().ratio());
        put(json, "seconds", result.seconds());
        put(json, "seconds_low", result.quantile(0.25));
        put(json, "seconds_high", result.quantile(0.75));
        json.set("samples", MAPPER.valueToTree(result.samples()));
        if (result.peakBytes().isPresent()) {
            json.put("peak_bytes", result.peakBytes().getAsLong());
        } else {
            json.putNull("peak_bytes");
        }
        json.put("oom", result.status() == Status.OOM);
        json.put("status", status(result));
        return json;
    }

    /** {@code measured}, or why it was not: {@code oom (needs about 34 GB ...)}, {@code dropped: budget}. */
    static String status(CellResult result) {
        return switch (result.status()) {
            case MEASURED -> "measured";
            case OOM -> "oom: " + result.note();
            case DROPPED -> "dropped: " + result.note();
        };
    }

    /** What {@link #of(CellResult)} wrote; only results that are kept, that is measured or oom. */
    static CellResult result(JsonNode json) {
        Cell cell = new Cell(
                json.required("resolution").asInt(),
                json.required("batch").asInt(),
                Variant.labelled(json.required("variant").asText())
                        .orElseThrow(() -> new IllegalArgumentException("an unknown variant")),
                json.required("ratio").asDouble());
        if (json.required("oom").asBoolean()) {
            return CellResult.oom(cell, json.required("status").asText().replaceFirst("^oom: ", ""));
        }
        List<Double> samples = new ArrayList<>();
        json.required("samples").forEach(sample -> samples.add(sample.asDouble()));
        JsonNode peak = json.required("peak_bytes");
        return CellResult.measured(
                cell, samples, peak.isNull() ? OptionalLong.empty() : OptionalLong.of(peak.asLong()));
    }

    static void put(ObjectNode json, String key, OptionalDouble value) {
        if (value.isPresent()) {
            json.put(key, Numbers.rounded(value.getAsDouble(), SECOND_DIGITS));
        } else {
            json.putNull(key);
        }
    }

    static ArrayNode array(List<String> texts) {
        return MAPPER.valueToTree(texts);
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
