package io.tome4j.cli;

import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.Latents;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
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
        footer = {"", "Example:", "  tome generate \"a red apple\" --model path/to/checkpoint --seed 42 --out apple.png"
        })
final class GenerateCommand implements Callable<Integer> {
    /** What the library calls things, and which options set them: for messages. */
    private static final Map<String, String> OPTION_NAMES = optionNames();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "PROMPT", description = "What to draw, in quotes; - reads it from stdin.")
    private String promptArgument = "";

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private ModelOptions model = new ModelOptions();

    @ArgGroup(validate = false, heading = "%nPicture:%n", order = 2)
    private PictureOptions picture = new PictureOptions();

    @ArgGroup(validate = false, heading = "%nToken merging:%n", order = 3)
    private MergingOptions merging = new MergingOptions();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 4)
    private OutputOptions output = new OutputOptions();

    /** All that can be wrong with the command itself is found before the model is loaded. */
    @Override
    public Integer call() {
        Request request;
        List<ToMeOptions> options;
        try {
            options = merging.options();
            request = picture.request(prompt());
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
        if (!picture.scheduler.isEmpty() && !Schedulers.names().contains(picture.scheduler)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--scheduler is " + picture.scheduler + ": it must be one of "
                            + String.join(", ", Schedulers.names()));
        }
        String modelName = model.modelOrDefault(spec.commandLine());
        List<Path> files = OutputFiles.choose(
                spec.commandLine(), output.out, request.prompts().get(0), request.seed(), request.images());
        output.latents.ifPresent(file -> {
            OutputFiles.requireWritable(Optional.ofNullable(file.getParent()).orElse(Path.of("")));
            OutputFiles.requireReplaceable(file);
        });
        try (Interruption interruption = Interruption.watch(spec.commandLine().getErr())) {
            return run(request, options, modelName, files, interruption);
        }
    }

    private int run(
            Request request, List<ToMeOptions> options, String name, List<Path> files, Interruption interruption) {
        PrintWriter err = spec.commandLine().getErr();
        String engine = Engine.start().describe(Placement.choose(model.device, model.dtype));
        err.println(engine);
        long start = System.nanoTime();
        boolean terminal = StepProgress.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                name, model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            Duration loading = since(start);
            Optional<PatchReport> report = patch(pipeline, options, request);
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

    /** Patches the pipeline; the report counts tokens at the size asked for. */
    private Optional<PatchReport> patch(StableDiffusionPipeline pipeline, List<ToMeOptions> options, Request request) {
        if (options.isEmpty()) {
            return Optional.empty();
        }
        try {
            ToMe.applyPatch(pipeline, options.get(0));
            return Optional.of(ToMe.report(pipeline, options.get(0), request.latentGrid(pipeline.nominalGrid())));
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
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

    private String prompt() {
        if (!promptArgument.equals("-")) {
            return promptArgument;
        }
        try {
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("The prompt cannot be read from stdin", e);
        }
    }

    private ParameterException usage(IllegalArgumentException e) {
        String message = String.valueOf(e.getMessage());
        for (Map.Entry<String, String> name : OPTION_NAMES.entrySet()) {
            message = message.replaceAll("\\b" + name.getKey() + "\\b", name.getValue());
        }
        return new ParameterException(spec.commandLine(), message, e);
    }

    private static Map<String, String> optionNames() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("^ratio is", "--ratio is");
        names.put("^steps is", "--steps is");
        names.put("^width is", "--width is");
        names.put("^height is", "--height is");
        names.put("^sx is", "--sx is");
        names.put("^sy is", "--sy is");
        names.put("guidanceScale", "--guidance");
        names.put("imagesPerPrompt", "--count");
        names.put("maxDownsample", "--max-downsample");
        names.put("mergeAttn", "--merge-attn");
        names.put("mergeCrossattn", "--merge-crossattn");
        names.put("mergeMlp", "--merge-mlp");
        names.put("mode TOMESD", "--tomesd");
        names.put("method TODO", "--method todo");
        names.put("method TOME or QUERY", "--method tome or query");
        names.put("method TOME", "--method tome");
        names.put("sizeWeighted", "--size-weighted");
        names.put("matchPer", "--match-per");
        names.put("matchEvery", "--match-every");
        names.put("matchTogether", "--match-together");
        names.put("matchPrecision", "--match-precision");
        return names;
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }
}
