package io.tome4j.cli.evaluate;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.session.ImageSettings;
import io.tome4j.cli.session.Session;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.RetrievalResult;
import io.tome4j.evaluation.run.ResultFolder;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.merging.ToMeOptions;
import java.util.List;
import java.util.Map;

/**
 * {@code tome evaluate --retrieval}: whether the embedded model draws what it is asked for.
 *
 * @param model to draw with
 * @param retrieval what to draw
 * @param template how
 * @param seed drew the motifs
 * @param merging what to merge
 * @param output where the results go
 */
record RetrievalRun(
        ChosenModel model,
        Retrieval retrieval,
        Request template,
        long seed,
        ToMeOptions merging,
        EvaluateCommand.Output output)
        implements EvaluateCommand.Run {

    @Override
    public void run(Session session) {
        ResultStore store = output.out
                .map(folder -> ResultFolder.open(folder, settings()).guardedBy(session::write))
                .orElse(ResultStore.NONE);
        String engine = session.start(model);
        try (var pipeline = session.load(model)) {
            session.announceMerging(pipeline, merging, template);
            output.out.ifPresent(
                    folder -> session.requireRoom(List.of(folder.resolve("image")), 1, pipeline, template));
            ContactSheet sheet = new ContactSheet();
            RetrievalResult result;
            try (RetrievalProgress progress =
                    new RetrievalProgress(session, retrieval.samples().size(), sheet)) {
                result = retrieval.run(pipeline, merging, store, progress);
            }
            output.sheet.ifPresent(file -> session.write(() -> sheet.save(file)));
            session.print(
                    output.format,
                    new RetrievalReport(
                            pipeline.modelName(), engine, model.placement(), template, seed, merging, result));
        }
    }

    /** Each image's key has the merging, too; here another one is found before the model is loaded. */
    private Map<String, String> settings() {
        Map<String, String> settings = ImageSettings.of(model, template, seed);
        settings.put("merging", merging.identity());
        return settings;
    }
}
