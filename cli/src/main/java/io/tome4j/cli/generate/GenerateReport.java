package io.tome4j.cli.generate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.session.Report;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.merging.PatchReport;
import io.tome4j.tensor.Placement;
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
 * @param placement where and in what it was computed
 * @param result the run's result
 * @param files the images' files
 * @param latents the file of the latents
 * @param loading how long the model took to load
 * @param saving how long the files took to write
 */
record GenerateReport(
        String model,
        String engine,
        Placement placement,
        Result result,
        List<Path> files,
        Optional<Path> latents,
        Duration loading,
        Duration saving)
        implements Report {

    /** One line a file. */
    @Override
    public String text() {
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
                "seed %s, %d x %d, %s; %.1f s in all: loading %.1f, text %.1f, %d steps %.1f (%.2f each), decoding %.1f",
                result.request().unsignedSeed(),
                result.request().width(),
                result.request().height(),
                result.request().scheduler(),
                ReportJson.seconds(total()),
                ReportJson.seconds(loading),
                ReportJson.seconds(timings.textEncoding()),
                timings.steps().size(),
                ReportJson.seconds(denoising()),
                perStep(),
                ReportJson.seconds(timings.decoding()));
    }

    @Override
    public ObjectNode json() {
        Request request = result.request();
        ObjectNode json = ReportJson.object();
        json.put("file", files.get(0).toString());
        ArrayNode all = json.putArray("files");
        files.forEach(file -> all.add(file.toString()));
        latents.ifPresent(file -> json.put("latents", file.toString()));
        json.put("model", model);
        ReportJson.putRequest(json, request);
        ReportJson.putAdapters(json, request);
        ReportJson.putSources(json, GenerationParameters.of(request));
        json.put("device", LowerCase.name(placement.device()));
        json.put("dtype", LowerCase.name(placement.dtype()));
        json.put("engine", engine);
        putSeconds(json.putObject("seconds"));
        putMerging(json.putObject("merging"));
        ArrayNode dropped = json.putArray("dropped_words");
        result.droppedWords().stream().filter(words -> !words.isEmpty()).forEach(dropped::add);
        if (!result.warnings().isEmpty()) {
            ArrayNode warnings = json.putArray("warnings");
            result.warnings().forEach(warnings::add);
        }
        return json;
    }

    private void putSeconds(ObjectNode json) {
        json.put("loading", ReportJson.seconds(loading));
        json.put("text_encoding", ReportJson.seconds(result.timings().textEncoding()));
        json.put("denoising", ReportJson.seconds(denoising()));
        json.put("per_step", perStep());
        ArrayNode steps = json.putArray("steps");
        result.timings().steps().forEach(step -> steps.add(ReportJson.seconds(step)));
        json.put("decoding", ReportJson.seconds(result.timings().decoding()));
        json.put("saving", ReportJson.seconds(saving));
        json.put("total", ReportJson.seconds(total()));
    }

    private void putMerging(ObjectNode json) {
        PatchReport report = result.merging();
        json.put("on", report.merges());
        if (report.merges()) {
            OptionsJson.put(json, report.options());
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

    private Duration denoising() {
        return result.timings().steps().stream().reduce(Duration.ZERO, Duration::plus);
    }

    private double perStep() {
        int steps = result.timings().steps().size();
        return steps == 0 ? 0 : ReportJson.rounded(denoising().toNanos() / 1e9 / steps);
    }

    private Duration total() {
        return loading.plus(result.timings().textEncoding())
                .plus(denoising())
                .plus(result.timings().decoding())
                .plus(saving);
    }
}
