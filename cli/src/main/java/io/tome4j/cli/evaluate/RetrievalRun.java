package io.tome4j.cli.evaluate;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.session.Session;
import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.ImageFolder;
import io.tome4j.evaluation.retrieval.ImageStore;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.RetrievalResult;
import io.tome4j.merging.ToMeOptions;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code tome evaluate --retrieval}: whether the embedded model draws what it is asked for.
 *
 * @param model to draw with
 * @param retrieval what to draw
 * @param template how
 * @param seed drew the motifs
 * @param options what to merge: one, or none
 * @param output where the results go
 */
record RetrievalRun(
        ChosenModel model,
        Retrieval retrieval,
        Request template,
        long seed,
        List<ToMeOptions> options,
        EvaluateCommand.Output output)
        implements EvaluateCommand.Run {

    @Override
    public void run(Session session) {
        ImageStore store = output.out
                .<ImageStore>map(folder -> new Store(ImageFolder.open(folder, settings()), session))
                .orElse(ImageStore.NONE);
        String engine = session.start(model);
        try (var pipeline = session.load(model)) {
            session.merge(options, pipeline, template);
            ContactSheet sheet = new ContactSheet();
            RetrievalResult result;
            try (RetrievalProgress progress =
                    new RetrievalProgress(session, retrieval.samples().size(), sheet)) {
                result = retrieval.run(pipeline, store, progress);
            }
            output.sheet.ifPresent(file -> session.write(() -> sheet.save(file)));
            session.print(
                    output.format,
                    new RetrievalReport(
                            pipeline.modelName(), engine, model.placement(), template, seed, options, result));
        }
    }

    /** All that an image depends on but its prompt, which its file's name tells. */
    private Map<String, String> settings() {
        Map<String, String> settings = ImageSettings.of(model, template, seed);
        settings.put("merging", options.isEmpty() ? "off" : options.get(0).toString());
        return settings;
    }

    /** A store that Ctrl-C does not cut off. */
    private record Store(ImageStore store, Session session) implements ImageStore {
        @Override
        public Optional<BufferedImage> find(String name) {
            return store.find(name);
        }

        @Override
        public void keep(String name, Image image) {
            session.write(() -> store.keep(name, image));
        }
    }
}
