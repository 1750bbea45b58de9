package io.tome4j.cli.info;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.ReadParameters;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.Option;
import java.nio.file.Path;
import java.util.List;

/** The parameters in an image as JSON: all of a request where they are enough for one, else what can be read of them. */
final class ReadJson {
    private ReadJson() {}

    static ObjectNode of(Path file, ReadParameters read) {
        ObjectNode json = ReportJson.object();
        json.put("file", file.toString());
        read.parameters()
                .ifPresentOrElse(parameters -> putAll(json, read, parameters), () -> putWhatCanBeRead(json, read));
        return json;
    }

    private static void putAll(ObjectNode json, ReadParameters read, GenerationParameters parameters) {
        ReportJson.putRequest(json, parameters.request());
        ReportJson.putAdapters(json, parameters.request());
        json.put("prompt", parameters.prompt()); // this image's, where the request has several
        json.put("scheduler", parameters.scheduler()); // the one that ran, where the request names none
        putSeed(json, read);
        json.put("index", parameters.index());
        json.put("model", parameters.model());
        putIfKnown(json, "model_hash", parameters.modelHash());
        putIfKnown(json, "vae", parameters.vae());
        putIfKnown(json, "vae_hash", parameters.vaeHash());
        parameters.dtype().ifPresent(dtype -> json.put("dtype", LowerCase.name(dtype)));
        json.put("attention", LowerCase.name(parameters.attention()));
        if (parameters.merging().merges()) {
            json.set("merging", OptionsJson.of(parameters.merging()));
        }
        ReportJson.putSources(json, parameters);
        json.put("version", parameters.version());
    }

    private static void putIfKnown(ObjectNode json, String key, String value) {
        if (!value.isEmpty()) {
            json.put(key, value);
        }
    }

    /** As the image has it, with a sign or without. */
    private static void putSeed(ObjectNode json, ReadParameters read) {
        read.wholeNumber(Request.SEED.title()).ifPresent(seed -> json.put(Request.SEED.name(), seed));
    }

    private static void putWhatCanBeRead(ObjectNode json, ReadParameters read) {
        json.put("prompt", read.prompt());
        json.put(Request.NEGATIVE_PROMPT.name(), read.negativePrompt());
        List<Option<?>> apart = List.of(Request.NEGATIVE_PROMPT, Request.SCHEDULER, Request.WIDTH, Request.HEIGHT);
        Request.OPTIONS.stream().filter(option -> !apart.contains(option)).forEach(option -> put(json, option, read));
        read.scheduler().ifPresent(name -> json.put(Request.SCHEDULER.name(), name));
        read.width().ifPresent(pixels -> json.put(Request.WIDTH.name(), pixels));
        read.height().ifPresent(pixels -> json.put(Request.HEIGHT.name(), pixels));
        read.value("Model").ifPresent(name -> json.put("model", name));
        read.value("Version").ifPresent(version -> json.put("version", version));
        read.merging().ifPresent(merging -> json.set("merging", OptionsJson.of(merging)));
        ObjectNode values = json.putObject("values");
        read.values().forEach(values::put);
        json.put("problem", read.problem());
    }

    private static void put(ObjectNode json, Option<?> option, ReadParameters read) {
        if (option.defaultValue() instanceof Double) {
            read.number(option.title()).ifPresent(value -> json.put(option.name(), value));
        } else if (option.defaultValue() instanceof Number) {
            read.wholeNumber(option.title()).ifPresent(value -> json.put(option.name(), value));
        } else {
            read.value(option.title()).ifPresent(text -> json.put(option.name(), text));
        }
    }
}
