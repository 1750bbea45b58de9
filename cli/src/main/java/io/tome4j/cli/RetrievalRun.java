package io.tome4j.cli;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.MergingIdentity;
import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.RetrievalResult;
import io.tome4j.evaluation.run.ResultFolder;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;

/**
 * {@code tome evaluate --retrieval}: whether the embedded model draws what it is asked for.
 *
 * @param commandLine has the streams
 * @param model how to run the model
 * @param chosen which one
 * @param retrieval what to draw
 * @param template how
 * @param seed drew the motifs
 * @param options what to merge: one, or none
 * @param output where the results go
 */
record RetrievalRun(
        CommandLine commandLine,
        ModelOptions model,
        ChosenModel chosen,
        Retrieval retrieval,
        Request template,
        long seed,
        List<ToMeOptions> options,
        EvaluateCommand.Output output) {

    int run(Interruption interruption) {
        PrintWriter err = commandLine.getErr();
        Placement placement = Placement.choose(model.device, model.dtype);
        String engine = Engine.start().describe(placement);
        ResultStore store = output.out
                .map(folder -> ResultFolder.open(folder, settings(placement)).guardedBy(interruption::writing))
                .orElse(ResultStore.NONE);
        err.println(engine);
        chosen.announce(err);
        boolean terminal = ProgressDisplay.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                chosen.source(), model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            Optional<PatchReport> patched = MergingOptions.apply(options, pipeline, template, commandLine);
            patched.ifPresent(report -> err.println("Token merging: " + report.summary()));
            if (interruption.isStopped()) {
                throw new CancellationException("Stopped while loading");
            }
            ContactSheet sheet = new ContactSheet();
            RetrievalResult result;
            try (RetrievalProgress progress = new RetrievalProgress(
                    err, terminal, retrieval.samples().size(), sheet, () -> !interruption.isStopped())) {
                result = retrieval.run(pipeline, store, progress);
            }
            output.sheet.ifPresent(file -> interruption.writing(() -> sheet.save(file)));
            print(new RetrievalReport(pipeline.modelName(), engine, placement, template, seed, options, result));
        }
        return 0;
    }

    /** All that a image depends on but its prompt, which its file's name tells. */
    private Map<String, String> settings(Placement placement) {
        Map<String, String> settings = ImageSettings.of(model, chosen, template, seed, placement);
        settings.put("merging", options.isEmpty() ? MergingIdentity.OFF : MergingIdentity.of(options.get(0)));
        return settings;
    }

    private void print(RetrievalReport report) {
        PrintWriter out = commandLine.getOut();
        if (output.format == OutputFormat.JSON) {
            out.println(report.json());
        } else {
            out.println(report.text());
        }
        out.flush();
    }
}
