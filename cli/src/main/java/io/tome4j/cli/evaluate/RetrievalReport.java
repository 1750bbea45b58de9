package io.tome4j.cli.evaluate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.session.Report;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.Share;
import io.tome4j.evaluation.Statistics;
import io.tome4j.evaluation.retrieval.Retrieval.Row;
import io.tome4j.evaluation.retrieval.RetrievalResult;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Placement;
import java.util.Locale;

/**
 * What came of {@code tome evaluate --retrieval}.
 *
 * @param model its name
 * @param engine the start-up line: engine, device, dtype, threads
 * @param placement where and in what it was computed
 * @param template how the images were made
 * @param seed drew the motifs
 * @param merging what was merged
 * @param result the figures
 */
record RetrievalReport(
        String model,
        String engine,
        Placement placement,
        Request template,
        long seed,
        ToMeOptions merging,
        RetrievalResult result)
        implements Report {

    /** A few lines. */
    @Override
    public String text() {
        StringBuilder text = new StringBuilder();
        line(
                text,
                "Retrieval of %d motifs drawn with seed %s by %s",
                result.rows().size(),
                template.seed(seed).unsignedSeed(),
                model);
        line(
                text,
                "%d x %d, %d steps, guidance %s, ratio %s",
                result.width(),
                result.height(),
                template.steps(),
                template.guidanceScale(),
                merging.ratioText());
        line(text, "top 1   %s: the right motif is the nearest of all", percent(result.top(1)));
        line(text, "top 10  %s: it is among the nearest ten", percent(result.top(10)));
        line(
                text,
                "difference from the right motif's thumbnail %s: mean colour difference (CIE 1976) of 64 x 64 pixels",
                mean(result.thumbnailDifference()));
        result.drawingDifference()
                .ifPresent(difference ->
                        line(text, "difference from its drawing %s: the same of all pixels", mean(difference)));
        line(text, "median rank %s (how many other motifs are nearer than the right one)", result.medianRank());
        result.secondsPerImage().ifPresent(seconds -> line(text, "%.2f s an image (median)", seconds));
        return text.toString().stripTrailing();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
    }

    private static String mean(Statistics statistics) {
        return String.format(Locale.ROOT, "%.2f", statistics.mean())
                + (statistics.meanInterval().isKnown()
                        ? String.format(
                                Locale.ROOT,
                                "  (95%% interval %.2f to %.2f)",
                                statistics.meanInterval().low(),
                                statistics.meanInterval().high())
                        : "");
    }

    private static String percent(Share share) {
        return String.format(
                Locale.ROOT,
                "%5.1f%%  (95%% interval %.1f to %.1f)",
                100 * share.value(),
                100 * share.low(),
                100 * share.high());
    }

    @Override
    public ObjectNode json() {
        ObjectNode json = ReportJson.object();
        json.put("measure", "retrieval");
        put(json, "top1", result.top(1));
        put(json, "top10", result.top(10));
        json.put("median_rank", result.medianRank());
        put(json, "thumbnail_difference", result.thumbnailDifference());
        result.drawingDifference().ifPresent(difference -> put(json, "drawing_difference", difference));
        json.put("samples", result.rows().size());
        OptionsJson.put(json, template.seed(seed).size(result.width(), result.height()));
        json.put("ratio", merging.ratio());
        json.put("model", model);
        json.put("device", LowerCase.name(placement.device()));
        json.put("dtype", LowerCase.name(placement.dtype()));
        json.put("engine", engine);
        json.put("version", GenerationParameters.thisVersion());
        if (merging.merges()) {
            json.set("merging", OptionsJson.of(merging));
        }
        json.put("made", result.made());
        result.secondsPerImage().ifPresent(seconds -> json.put("seconds_per_image", ReportJson.rounded(seconds)));
        ArrayNode rows = json.putArray("rows");
        for (Row row : result.rows()) {
            ObjectNode object = rows.addObject()
                    .put("name", row.sample().name())
                    .put("seed", row.sample().request().unsignedSeed())
                    .put("rank", row.rank())
                    .put("nearest", row.nearest())
                    .put("thumbnail_difference", ReportJson.rounded(row.thumbnailDifference()));
            row.drawingDifference()
                    .ifPresent(difference -> object.put("drawing_difference", ReportJson.rounded(difference)));
        }
        return json;
    }

    private static void put(ObjectNode json, String name, Statistics statistics) {
        json.put(name, ReportJson.rounded(statistics.mean()));
        Statistics.Interval interval = statistics.meanInterval();
        if (interval.isKnown()) {
            json.putArray(name + "_interval")
                    .add(ReportJson.rounded(interval.low()))
                    .add(ReportJson.rounded(interval.high()));
        }
    }

    private static void put(ObjectNode json, String name, Share share) {
        json.put(name, ReportJson.rounded(share.value()));
        json.putArray(name + "_interval").add(ReportJson.rounded(share.low())).add(ReportJson.rounded(share.high()));
    }
}
