package io.tome4j.server.playground;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.emoji.Motifs;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.http.Json;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.tensor.Option;
import java.util.Locale;

/** What the page has to know before it can offer anything. */
final class PageInfo {
    private PageInfo() {}

    static ObjectNode of(Generation generation) {
        ObjectNode json = Json.object();
        json.put("version", GenerationParameters.thisVersion());
        ArrayNode models = json.putArray("models");
        generation.queue().models().forEach(model -> models.add(model(model)));
        ArrayNode schedulers = json.putArray("schedulers");
        Schedulers.names()
                .forEach(name -> schedulers.addObject().put("name", name).put("title", Schedulers.title(name)));
        json.set("token_merging", OptionsJson.of(generation.merging()));
        ArrayNode options = json.putArray("merging_options");
        ToMeOptions.OPTIONS.forEach(option -> options.add(option(option)));
        ObjectNode limits = json.putObject("limits");
        limits.put("max_pixels", generation.limits().maxPixels());
        limits.put("max_steps", generation.limits().maxSteps());
        return json;
    }

    private static ObjectNode model(ServedModel model) {
        ObjectNode json = Json.object();
        json.put("name", model.name());
        ObjectNode defaults = json.putObject("defaults");
        defaults.put("num_inference_steps", model.defaults().steps());
        defaults.put("guidance_scale", model.defaults().guidanceScale());
        defaults.put("width", model.defaults().width());
        defaults.put("height", model.defaults().height());
        ArrayNode prompts = json.putArray("prompts");
        if (model.name().equals(EmbeddedModel.shipped().name())) {
            Motifs.list().forEach(motif -> prompts.add(motif.prompt()));
        }
        return json;
    }

    private static ObjectNode option(Option<?> option) {
        ObjectNode json = Json.object();
        json.put("name", option.name());
        json.put("description", option.description());
        Object usual = option.defaultValue();
        json.put(
                "kind",
                usual instanceof Enum<?>
                        ? "choice"
                        : option.isFlag() ? "flag" : usual instanceof Number ? "number" : "text");
        if (usual instanceof Enum<?> constant) {
            ArrayNode choices = json.putArray("choices");
            for (Object each : constant.getDeclaringClass().getEnumConstants()) {
                choices.add(((Enum<?>) each).name().toLowerCase(Locale.ROOT));
            }
        }
        return json;
    }
}
