package io.tome4j.cli;

import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.Latents;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes images from a prompt. */
@Command(
        name = "generate",
        description = "Make an image from a prompt.",
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tome generate \"a red apple\"",
            "  tome generate \"a photo of an apple\" --model path/to/checkpoint --seed 42 --out apple.png"
        })
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "PROMPT", description = "What to draw, in quotes; - reads it from stdin.")
    private String promptArgument = "";

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private ModelOptions model = new ModelOptions();

    @ArgGroup(validate = false, heading = "%nImage:%n", order = 2)
    private ImageOptions image = new ImageOptions();

    @ArgGroup(validate = false, heading = "%nToken merging:%n", order = 3)
    private MergingOptions merging = new MergingOptions();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 4)
    private OutputOptions output = new OutputOptions();

    /** All that can be wrong with the command itself is found before the model is loaded. */
    @Override
    public Integer call() {
        ChosenModel chosen = model.choose(spec.commandLine());
        Request request;
        List<ToMeOptions> options;
        try {
            options = merging.options();
            request = image.request(PromptArgument.text(promptArgument), chosen);
        } catch (IllegalArgumentException e) {
            throw UsageErrors.of(spec.commandLine(), e);
        }
        List<Path> files = OutputFiles.choose(
                spec.commandLine(), output.out, request.prompts().get(0), request.seed(), request.images());
        output.latents.ifPresent(file -> {
            OutputFiles.requireWritable(Optional.ofNullable(file.getParent()).orElse(Path.of("")));
            OutputFiles.requireReplaceable(file);
        });
        try (Interruption interruption = Interruption.watch(spec.commandLine().getErr())) {
            return run(request, options, chosen, files, interruption);
        }
    }

    private int run(
            Request request,
            List<ToMeOptions> options,
            ChosenModel chosen,
            List<Path> files,
            Interruption interruption) {
        PrintWriter err = spec.commandLine().getErr();
        String engine = Engine.start().describe(Placement.choose(model.device, model.dtype));
        err.println(engine);
        chosen.announce(err);
        long start = System.nanoTime();
        boolean terminal = ProgressDisplay.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                chosen.source(), model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            Duration loading = since(start);
            Optional<PatchReport> report = MergingOptions.apply(options, pipeline, request, spec.commandLine());
            report.ifPresent(patched -> err.println("Token merging: " + patched.summary()));
            if (interruption.isStopped()) {
                throw new CancellationException("Stopped while loading");
            }
            Result result;
            try (StepProgress progress = new StepProgress(err, terminal, () -> !interruption.isStopped())) {
                result = pipeline.generate(request, progress);
            }
            warnOfDroppedWords(result, err);
            start = System.nanoTime();
            save(result, files, interruption);
            print(new RunReport(
                    pipeline.modelName(),
                    engine,
                    LowerCase.name(pipeline.placement().device()),
                    LowerCase.name(pipeline.placement().dtype()),
                    report,
                    result,
                    files,
                    output.latents,
                    loading,
                    since(start)));
        }
        return 0;
    }

    private void save(Result result, List<Path> files, Interruption interruption) {
        for (int i = 0; i < files.size(); i++) {
            int image = i;
            interruption.writing(() -> result.images().get(image).save(files.get(image)));
        }
        output.latents.ifPresent(file -> interruption.writing(() -> saveLatents(result.latents(), file)));
    }

    private static void saveLatents(Latents latents, Path file) {
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(file, Map.of("latents", latents.tensor()));
        }
    }

    private void print(RunReport report) {
        PrintWriter out = spec.commandLine().getOut();
        if (output.format == OutputFormat.JSON) {
            out.println(report.json());
        } else {
            out.println(report.text());
            spec.commandLine().getErr().println(report.summary());
        }
        out.flush();
    }

    private static void warnOfDroppedWords(Result result, PrintWriter err) {
        for (String words : result.droppedWords()) {
            if (!words.isEmpty()) {
                err.println("The prompt is too long for the model; it never saw: " + words);
            }
        }
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }
}
