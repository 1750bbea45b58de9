package io.tome4j.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.evaluation.MergingJson;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What came of {@code tome generate}.
 *
 * @param model its name
 * @param engine the start-up line: engine, device, dtype, threads
 * @param device where it was computed
 * @param dtype what it was computed in
 * @param merging what merging did; empty if it was off
 * @param result the run's result
 * @param files the images' files
 * @param latents the file of the latents
 * @param loading how long the model took to load
 * @param saving how long the files took to write
 */
record RunReport(
        String model,
        String engine,
        String device,
        String dtype,
        Optional<PatchReport> merging,
        Result result,
        List<Path> files,
        Optional<Path> latents,
        Duration loading,
        Duration saving) {

    /** One line a file. */
    String text() {
        StringBuilder text = new StringBuilder();
        for (Path file : files) {
            text.append(file).append(System.lineSeparator());
        }
        latents.ifPresent(file -> text.append(file).append(System.lineSeparator()));
        return text.toString().stripTrailing();
    }

    /** One line that says what it took. */
    String summary() {
        var timings = result.timings();
        return String.format(
                Locale.ROOT,
                "seed %d, %d x %d, %s; %.1f s in all: loading %.1f, text %.1f, %d steps %.1f (%.2f each), decoding %.1f",
                result.request().seed(),
                result.request().width(),
                result.request().height(),
                result.request().scheduler(),
                seconds(total()),
                seconds(loading),
                seconds(timings.textEncoding()),
                timings.steps().size(),
                seconds(denoising()),
                perStep(),
                seconds(timings.decoding()));
    }

    /** One object. */
    ObjectNode json() {
        Request request = result.request();
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("file", files.get(0).toString());
        ArrayNode all = json.putArray("files");
        files.forEach(file -> all.add(file.toString()));
        latents.ifPresent(file -> json.put("latents", file.toString()));
        json.put("seed", request.seed());
        json.put("prompt", request.prompts().get(0));
        json.put("negative", request.negativePrompt());
        json.put("model", model);
        json.put("scheduler", request.scheduler());
        json.put("steps", request.steps());
        json.put("guidance", request.guidanceScale());
        json.put("width", request.width());
        json.put("height", request.height());
        json.put("count", request.images());
        json.put("device", device);
        json.put("dtype", dtype);
        json.put("engine", engine);
        putSeconds(json.putObject("seconds"));
        putMerging(json.putObject("merging"));
        ArrayNode dropped = json.putArray("dropped_words");
        result.droppedWords().stream().filter(words -> !words.isEmpty()).forEach(dropped::add);
        return json;
    }

    private void putSeconds(ObjectNode json) {
        json.put("loading", seconds(loading));
        json.put("text_encoding", seconds(result.timings().textEncoding()));
        json.put("denoising", seconds(denoising()));
        json.put("per_step", perStep());
        ArrayNode steps = json.putArray("steps");
        result.timings().steps().forEach(step -> steps.add(seconds(step)));
        json.put("decoding", seconds(result.timings().decoding()));
        json.put("saving", seconds(saving));
        json.put("total", seconds(total()));
    }

    private void putMerging(ObjectNode json) {
        json.put("on", merging.isPresent());
        if (merging.isPresent()) {
            PatchReport report = merging.get();
            putOptions(json, report.options());
            json.put("blocks", report.blocks().size());
            json.put("blocks_in_model", report.blocksInModel());
            json.put("tokens_before", report.tokensBefore());
            json.put("tokens_after", report.tokensAfter());
            json.put("tokens_merged", report.tokensBefore() - report.tokensAfter());
            ArrayNode off = json.putArray("unmerged");
            report.unmerged()
                    .forEach(block -> off.addObject().put("block", block.name()).put("reason", block.reason()));
            ArrayNode notes = json.putArray("notes");
            report.notes().forEach(notes::add);
        } else {
            json.put("tokens_merged", 0);
        }
    }

    static void putOptions(ObjectNode json, ToMeOptions options) {
        MergingJson.put(json, options);
    }

    private Duration denoising() {
        return result.timings().steps().stream().reduce(Duration.ZERO, Duration::plus);
    }

    private double perStep() {
        int steps = result.timings().steps().size();
        return steps == 0 ? 0 : rounded(denoising().toNanos() / 1e9 / steps);
    }

    private Duration total() {
        return loading.plus(result.timings().textEncoding())
                .plus(denoising())
                .plus(result.timings().decoding())
                .plus(saving);
    }

    private static double seconds(Duration duration) {
        return rounded(duration.toNanos() / 1e9);
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 1e4) / 1e4;
    }
}
