package io.tome4j.cli;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.tune.TuneResult;
import io.tome4j.evaluation.tune.Tuning;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Finds the options of merging that a user needs. */
@Command(
        name = "tune",
        description = "Try settings of merging on a few prompts, and say which to use for a time or a likeness.",
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tome tune --target-time 10s",
            "  tome tune --min-ssim 0.9 --prompt \"a red apple\" --prompt \"a cat\" --budget 30m"
        })
final class TuneCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

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

    @ArgGroup(validate = false, heading = "%nImages:%n", order = 2)
    private SamplingOptions sampling = new SamplingOptions();

    @ArgGroup(validate = false, heading = "%nGoal and token merging:%n", order = 3)
    private TuneOptions tune = new TuneOptions();

    /** All that can be wrong with the command itself is found before the model is loaded. */
    @Override
    public Integer call() {
        ChosenModel chosen = model.choose(spec.commandLine());
        Tuning tuning;
        try {
            List<Request> requests = prompts.texts().stream()
                    .map(prompt -> sampling.request(prompt, chosen).seed(prompts.seed))
                    .toList();
            tuning = new Tuning(tune.goal(), requests, tune.settings(), tune.budget());
        } catch (IllegalArgumentException e) {
            throw UsageErrors.of(spec.commandLine(), e);
        }
        try (Interruption interruption = Interruption.watch(spec.commandLine().getErr())) {
            return run(tuning, chosen, interruption);
        }
    }

    private int run(Tuning tuning, ChosenModel chosen, Interruption interruption) {
        PrintWriter err = spec.commandLine().getErr();
        String engine = Engine.start().describe(Placement.choose(model.device, model.dtype));
        err.println(engine);
        chosen.announce(err);
        if (prompts.areMotifs() && chosen.embedded().isEmpty()) {
            err.println("The prompts are motifs of the embedded model; --prompt or --prompts takes your own");
        }
        boolean terminal = ProgressDisplay.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                chosen.source(), model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            if (interruption.isStopped()) {
                throw new CancellationException("Stopped while loading");
            }
            TuneResult result;
            try (TuneProgress progress = new TuneProgress(err, terminal, () -> !interruption.isStopped())) {
                result = tuning.run(pipeline, progress);
            } catch (IllegalArgumentException e) {
                throw UsageErrors.of(spec.commandLine(), e);
            }
            print(new TuneReport(pipeline.modelName(), engine, tuning.requests(), result));
        }
        return 0;
    }

    private void print(TuneReport report) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(format == OutputFormat.JSON ? report.json() : report.text());
        out.flush();
    }
}
