package io.tome4j.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.evaluation.run.Times;
import io.tome4j.server.http.Json;
import io.tome4j.server.queue.MadeImage;
import io.tome4j.server.queue.Outcome;
import java.time.Instant;

/** What OpenAI's API says of images. */
final class ImagesAnswer {
    private ImagesAnswer() {}

    static ObjectNode of(ImagesRequest request, Outcome outcome) {
        ObjectNode json = Json.object();
        json.put("created", Instant.now().getEpochSecond());
        ArrayNode data = json.putArray("data");
        outcome.images().forEach(made -> data.addObject()
                .put("b64_json", request.format().base64(made, request.quality())));
        putCommon(
                json,
                request,
                outcome.images().get(0).image().width(),
                outcome.images().get(0).image().height());
        putUsage(json);
        putOurs(json.putObject("tome4j"), outcome);
        return json;
    }

    /** What answers and events have in common. */
    static void putCommon(ObjectNode json, ImagesRequest request, int width, int height) {
        json.put("size", width + "x" + height);
        json.put("quality", request.said());
        json.put("background", "opaque");
        json.put("output_format", request.format().lowerCase());
    }

    /** Nothing is counted here, but clients add it up. */
    static void putUsage(ObjectNode json) {
        ObjectNode usage = json.putObject("usage");
        usage.put("total_tokens", 0);
        usage.put("input_tokens", 0);
        usage.put("output_tokens", 0);
        usage.putObject("input_tokens_details").put("text_tokens", 0).put("image_tokens", 0);
    }

    static void putOurs(ObjectNode json, Outcome outcome) {
        MadeImage first = outcome.images().get(0);
        json.put("seed", first.request().unsignedSeed());
        json.put("interrupted", outcome.end() == Outcome.End.INTERRUPTED);
        first.result().ifPresent(result -> {
            json.put("seconds_per_step", Times.of(result.timings()).perStep(first.request()));
            json.put("token_merging", result.merging().summary());
        });
        if (!first.droppedWords().isEmpty()) {
            json.put("dropped_words", first.droppedWords());
        }
        ArrayNode infotexts = json.putArray("infotexts");
        outcome.images().forEach(made -> infotexts.add(made.image().parameters()));
    }
}
