package io.tome4j.cli;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.bench.Machine;
import io.tome4j.evaluation.quality.Evaluation;
import io.tome4j.evaluation.quality.EvaluationReport;
import io.tome4j.evaluation.quality.EvaluationResult;
import io.tome4j.evaluation.quality.Measures;
import io.tome4j.evaluation.quality.ResultTable;
import io.tome4j.evaluation.quality.Shot;
import io.tome4j.evaluation.quality.ShotFolder;
import io.tome4j.evaluation.quality.ShotStore;
import io.tome4j.evaluation.quality.Times;
import io.tome4j.evaluation.report.ReportPage;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;

/**
 * {@code tome evaluate PROMPTFILE}: what merging costs and gains.
 *
 * @param commandLine has the streams
 * @param model how to run the model
 * @param chosen which one
 * @param evaluation what to draw and measure
 * @param grid which networks to measure with
 * @param source where the prompts are from
 * @param folder keeps the images and the results
 * @param format what to print
 */
record QualityRun(
        CommandLine commandLine,
        ModelOptions model,
        ChosenModel chosen,
        Evaluation evaluation,
        GridOptions grid,
        String source,
        Path folder,
        OutputFormat format) {

    int run(Interruption interruption) {
        PrintWriter err = commandLine.getErr();
        Placement placement = Placement.choose(model.device, model.dtype);
        Map<String, String> settings =
                ImageSettings.of(model, chosen, evaluation.template(), evaluation.seed(), placement);
        settings.put("prompts", source);
        ShotFolder images = ShotFolder.open(folder, settings);
        err.println(Engine.start().describe(placement));
        chosen.announce(err);
        DownloadProgress downloads = new DownloadProgress(err, ProgressDisplay.onTerminal());
        try (LoadedMeasures networks = new LoadedMeasures()) {
            Measures measures = networks.load(evaluation.measures().images(), grid, downloads);
            return run(evaluation.measures(measures), settings, images, placement, interruption);
        }
    }

    private int run(
            Evaluation measured,
            Map<String, String> settings,
            ShotFolder images,
            Placement placement,
            Interruption interruption) {
        PrintWriter err = commandLine.getErr();
        boolean terminal = ProgressDisplay.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                chosen.source(), model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            if (interruption.isStopped()) {
                throw new CancellationException("Stopped while loading");
            }
            EvaluationResult result;
            try (QualityProgress progress = new QualityProgress(err, terminal, () -> !interruption.isStopped())) {
                result = measured.run(pipeline, new Store(images, interruption), progress);
            } catch (IllegalArgumentException e) {
                throw UsageErrors.of(commandLine, e);
            }
            EvaluationReport report = new EvaluationReport(
                    pipeline.modelName(),
                    Machine.here(placement),
                    settings,
                    result,
                    Instant.now().truncatedTo(ChronoUnit.SECONDS));
            interruption.writing(() -> write(report, images));
            print(report);
        }
        return 0;
    }

    private void write(EvaluationReport report, ShotStore images) {
        write("results.csv", ResultTable.csv(report.result()));
        write("results.json", report.json().toPrettyString().replace("\r\n", "\n") + "\n");
        write("report.html", ReportPage.of(report, images));
    }

    private void write(String name, String text) {
        Path file = folder.resolve(name);
        WholeFile.write("report", file, text.getBytes(StandardCharsets.UTF_8));
    }

    private void print(EvaluationReport report) {
        PrintWriter out = commandLine.getOut();
        if (format == OutputFormat.JSON) {
            out.println(report.json());
        } else {
            out.print(ResultTable.text(report.result()));
            out.println();
            out.println(folder.resolve("results.csv"));
            out.println(folder.resolve("results.json"));
            out.println(folder.resolve("report.html"));
        }
        out.flush();
    }

    /** A store that Ctrl-C does not cut off. */
    private record Store(ShotStore store, Interruption interruption) implements ShotStore {
        @Override
        public boolean has(Shot shot) {
            return store.has(shot);
        }

        @Override
        public Optional<Kept> find(Shot shot) {
            return store.find(shot);
        }

        @Override
        public Kept keep(Shot shot, Image image, Times times, Optional<KeptMap> map) {
            List<Kept> kept = new ArrayList<>();
            interruption.writing(() -> kept.add(store.keep(shot, image, times, map)));
            return kept.get(0);
        }
    }
}
