package io.tome4j.cli.session;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.IPAdapter;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Sources;
import java.time.Duration;

/** What the JSON of several reports has in common. */
public final class ReportJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ReportJson() {}

    /** An object with nothing in it. */
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** Adds the first prompt, and all that its images depend on but the model and merging. */
    public static void putRequest(ObjectNode json, Request request) {
        json.put("prompt", request.prompts().get(0));
        OptionsJson.put(json, request);
    }

    /** Adds what a request adds to the model, where it adds something. */
    public static void putAdapters(ObjectNode json, Request request) {
        if (!request.loras().isEmpty()) {
            ArrayNode loras = json.putArray("loras");
            request.loras().forEach(lora -> loras.addObject()
                    .put("name", lora.name())
                    .put("weight", lora.weight())
                    .put("text_weight", lora.textWeight())
                    .put("hash", lora.hash()));
        }
        if (!request.embeddings().isEmpty()) {
            ArrayNode embeddings = json.putArray("embeddings");
            request.embeddings().forEach(embedding -> embeddings
                    .addObject()
                    .put("name", embedding.name())
                    .put("token", embedding.token())
                    .put("hash", embedding.hash()));
        }
    }

    /** Adds the images that an image was made of, where it was of some: by what each is for, and control images in a list. */
    public static void putSources(ObjectNode json, GenerationParameters parameters) {
        Sources sources = parameters.sources();
        Request request = parameters.request();
        if (sources.of().isEmpty()
                && request.controls().isEmpty()
                && request.t2iAdapters().isEmpty()
                && request.ipAdapters().isEmpty()) {
            return;
        }
        ObjectNode all = json.putObject("sources");
        sources.of()
                .forEach((role, source) ->
                        all.putObject(role.option()).put("name", source.name()).put("sha256", source.sha256()));
        if (!request.controls().isEmpty()) {
            ArrayNode controls = all.putArray("control_images");
            request.controls().forEach(control -> controls.addObject()
                    .put("controlnet", control.model())
                    .put("name", control.imageName())
                    .put("pixels_sha256", control.imageHash()));
        }
        if (!request.t2iAdapters().isEmpty()) {
            ArrayNode adapters = all.putArray("t2i_images");
            request.t2iAdapters().forEach(adapter -> adapters.addObject()
                    .put("t2i_adapter", adapter.model())
                    .put("name", adapter.imageName())
                    .put("pixels_sha256", adapter.imageHash()));
        }
        if (!request.ipAdapters().isEmpty()) {
            ArrayNode images = all.putArray("ip_adapter_images");
            for (IPAdapter adapter : request.ipAdapters()) {
                for (int i = 0; i < adapter.imageNames().size(); i++) {
                    images.addObject()
                            .put("ip_adapter", adapter.model())
                            .put("name", adapter.imageNames().get(i))
                            .put("pixels_sha256", adapter.imageHashes().get(i));
                }
            }
        }
    }

    /** Seconds, to a tenth of a millisecond. */
    public static double seconds(Duration duration) {
        return rounded(duration.toNanos() / 1e9);
    }

    /** To four places. */
    public static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }
}
