package io.tome4j.server.playground;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.evaluation.run.Times;
import io.tome4j.merging.PatchReport;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.http.Json;
import io.tome4j.server.queue.MadeImage;
import io.tome4j.server.queue.Outcome;
import java.util.Base64;

/** What the page shows of a job's images: the pixels, what they took, and what merging did. */
final class ImageReport {
    private ImageReport() {}

    static ObjectNode of(Outcome outcome) {
        ObjectNode json = Json.object();
        json.put("interrupted", outcome.end() == Outcome.End.INTERRUPTED);
        json.put("seconds", outcome.took().toNanos() / 1e9);
        ArrayNode images = json.putArray("images");
        outcome.images().forEach(made -> images.add(image(made)));
        return json;
    }

    private static ObjectNode image(MadeImage made) {
        ObjectNode json = Json.object();
        json.put("png", Base64.getEncoder().encodeToString(made.image().png()));
        json.put("width", made.image().width());
        json.put("height", made.image().height());
        json.put("seed", made.request().unsignedSeed().toString()); // a text: browsers' numbers are not exact
        json.put("infotext", made.image().parameters());
        json.put("dropped_words", made.droppedWords());
        made.mergeMap().ifPresent(map -> json.put("merge_map", ImageFormat.pngBase64(map)));
        made.result().ifPresent(result -> {
            json.put("steps", result.timings().steps().size());
            json.put("seconds_per_step", Times.of(result.timings()).perStep(made.request()));
            putMerging(json.putObject("merging"), result.merging());
        });
        return json;
    }

    private static void putMerging(ObjectNode json, PatchReport report) {
        json.put("merges", report.merges());
        json.put("summary", report.summary());
        json.set("options", OptionsJson.of(report.options()));
        json.put("blocks_in_model", report.blocksInModel());
        json.put("tokens_before", report.tokensBefore());
        json.put("tokens_after", report.tokensAfter());
        ArrayNode blocks = json.putArray("blocks");
        report.blocks().forEach(block -> blocks.addObject()
                .put("name", block.name())
                .put("downsample", block.downsample())
                .put("tokens_before", block.tokensBefore())
                .put("tokens_after", block.tokensAfter()));
        ArrayNode unmerged = json.putArray("unmerged");
        report.unmerged().forEach(block -> unmerged.addObject()
                .put("name", block.name())
                .put("downsample", block.downsample())
                .put("tokens", block.tokens())
                .put("reason", block.reason()));
        ArrayNode notes = json.putArray("notes");
        report.notes().forEach(notes::add);
    }
}
