package io.tome4j.cli.tune;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.ModelOptions;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.options.SamplingOptions;
import io.tome4j.cli.session.ImageSettings;
import io.tome4j.cli.session.ReservedFiles;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.SessionCommand;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.quality.Prompts;
import io.tome4j.evaluation.run.ResultFolder;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.tune.TuneResult;
import io.tome4j.evaluation.tune.Tuning;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;

/** Finds the options of merging that a user needs. */
@Command(
        name = "tune",
        description = "Try settings of merging on a few prompts, and say which to use for a time or a likeness.",
        footer = {
            "",
            "Examples:",
            "  tome tune --target-time 10s",
            "  tome tune --target-time 10s --budget 2h --out tuning",
            "  tome tune --min-ssim 0.9 --prompt \"a red apple\" --prompt \"a cat\" --budget 30m"
        })
public final class TuneCommand extends SessionCommand<TuneCommand.Plan> {
    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "What to print on stdout; json: one object with a row for each setting.")
    private OutputFormat format = OutputFormat.TEXT;

    @Mixin
    private TunePrompts prompts = new TunePrompts();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private ModelOptions model = new ModelOptions();

    private final SamplingOptions sampling =
            SamplingOptions.ofOnePass(Request.SEED, Request.IMAGES_PER_PROMPT, Request.SEED_PER_IMAGE);
    private final TuneOptions tune = new TuneOptions();

    /** What to do. */
    record Plan(ChosenModel model, Tuning tuning, Optional<Path> out) {
        /** Keeps what another search of the same images can use, whatever its goal. */
        ResultStore store(Session session) {
            return out.map(folder -> ResultFolder.open(folder, settings()).guardedBy(session::write))
                    .orElse(ResultStore.NONE);
        }

        private Map<String, String> settings() {
            Request template = tuning.requests().get(0);
            Map<String, String> settings = ImageSettings.of(model, template, template.seed());
            settings.put("prompts", Prompts.of(tuning.requests()).fingerprint());
            return settings;
        }
    }

    @Override
    protected List<ArgGroupSpec> tableGroups() {
        return List.of(sampling.group("Images", 2), tune.group("Goal and token merging", 3));
    }

    @Override
    protected Plan plan(ReservedFiles reserved) {
        ChosenModel chosen = model.choose();
        List<Request> requests = prompts.texts().stream()
                .map(prompt -> sampling.request(prompt, chosen).seed(prompts.seed))
                .toList();
        return new Plan(chosen, new Tuning(tune.goal(), requests, tune.settings(), tune.budget()), tune.out);
    }

    @Override
    protected String outcomeIfStopped(Plan plan) {
        return plan.out()
                .map(folder -> "finished images are in " + folder + ", and the same command goes on from there")
                .orElse(super.outcomeIfStopped(plan));
    }

    @Override
    protected void run(Plan plan, Session session) {
        ResultStore store = plan.store(session);
        String engine = session.start(
                plan.model(),
                prompts.areMotifs()
                        ? List.of()
                        : plan.tuning().requests().stream()
                                .map(request -> request.prompts().get(0))
                                .toList());
        if (prompts.areMotifs() && plan.model().embedded().isEmpty()) {
            session.err().println("The prompts are motifs of the embedded model; --prompt or --prompts takes your own");
        }
        try (var pipeline = session.load(plan.model())) {
            Request request = plan.tuning().requests().get(0);
            plan.out().ifPresent(folder -> session.requireRoom(List.of(folder.resolve("image")), 1, pipeline, request));
            TuneResult result;
            try (TuneProgress progress =
                    new TuneProgress(session, plan.tuning().requests().get(0).steps())) {
                result = plan.tuning().run(pipeline, store, progress);
            }
            session.print(
                    format,
                    new TuneReport(pipeline.modelName(), engine, plan.tuning().requests(), result, !session.goesOn()));
        }
    }
}
