package io.tome4j.cli.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.session.ImageSettings;
import io.tome4j.cli.session.OutputFiles;
import io.tome4j.cli.session.Report;
import io.tome4j.cli.session.Session;
import io.tome4j.evaluation.bench.Machine;
import io.tome4j.evaluation.quality.Evaluation;
import io.tome4j.evaluation.quality.EvaluationReport;
import io.tome4j.evaluation.quality.EvaluationResult;
import io.tome4j.evaluation.quality.Measures;
import io.tome4j.evaluation.run.ResultFolder;
import io.tome4j.evaluation.run.ResultStore;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

/**
 * {@code tome evaluate PROMPTFILE}: what merging costs and gains.
 *
 * @param model to draw with
 * @param evaluation what to draw and measure
 * @param grid which networks to measure with
 * @param source where the prompts are from
 * @param folder keeps the images and the results
 * @param format what to print
 */
record QualityRun(
        ChosenModel model, Evaluation evaluation, GridOptions grid, String source, Path folder, OutputFormat format)
        implements EvaluateCommand.Run {
    private static final String CSV = "results.csv";
    private static final String JSON = "results.json";
    private static final String PAGE = "report.html";

    @Override
    public void run(Session session) {
        Map<String, String> settings = ImageSettings.of(model, evaluation.template(), evaluation.seed());
        settings.put("prompts", source);
        ResultFolder images = ResultFolder.open(folder, settings);
        session.start(model);
        try (LoadedMeasures networks = new LoadedMeasures()) {
            Measures measures = networks.load(evaluation.measures().images(), grid, session.downloads());
            run(evaluation.measures(measures), settings, images, session);
        }
    }

    private void run(Evaluation measured, Map<String, String> settings, ResultFolder images, Session session) {
        try (var pipeline = session.load(model)) {
            session.requireRoom(List.of(folder.resolve(PAGE)), 1, pipeline, measured.template());
            EvaluationResult result;
            try (QualityProgress progress = new QualityProgress(session)) {
                result = measured.run(pipeline, images.guardedBy(session::write), progress);
            }
            EvaluationReport report = new EvaluationReport(
                    pipeline.modelName(),
                    Machine.here(model.placement()),
                    settings,
                    result,
                    Instant.now().truncatedTo(ChronoUnit.SECONDS));
            session.write(() -> write(report, images));
            session.print(format, new Printed(report, folder));
        }
    }

    private void write(EvaluationReport report, ResultStore images) {
        OutputFiles.write(folder.resolve(CSV), report.csv());
        OutputFiles.write(folder.resolve(JSON), report.json().toPrettyString().replace("\r\n", "\n") + "\n");
        OutputFiles.write(folder.resolve(PAGE), report.html(images));
    }

    /** The table, and the files that tell more. */
    private record Printed(EvaluationReport report, Path folder) implements Report {
        @Override
        public String text() {
            return String.join(
                    System.lineSeparator(),
                    report.text(),
                    folder.resolve(CSV).toString(),
                    folder.resolve(JSON).toString(),
                    folder.resolve(PAGE).toString());
        }

        @Override
        public ObjectNode json() {
            return report.json();
        }
    }
}
