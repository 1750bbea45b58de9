package io.tome4j.cli;

import io.tome4j.diffusion.PngFiles;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.compare.Comparison;
import io.tome4j.evaluation.compare.ComparisonSheet;
import io.tome4j.evaluation.compare.Fonts;
import io.tome4j.evaluation.compare.Panel;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what merging costs and gains. */
@Command(
        name = "compare",
        description = "Make the same image without merging and with it, side by side, with times and distances.",
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Example:",
            "  tome compare \"a red apple\" --ratios 0.25,0.5,0.75 --methods tome,todo --difference --maps --out a.png"
        })
final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "PROMPT", description = "What to draw, in quotes; - reads it from stdin.")
    private String promptArgument = "";

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private ModelOptions model = new ModelOptions();

    @ArgGroup(validate = false, heading = "%nImage:%n", order = 2)
    private SeededOptions image = new SeededOptions();

    @ArgGroup(validate = false, heading = "%nToken merging:%n", order = 3)
    private CompareOptions compare = new CompareOptions();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 4)
    private Output output = new Output();

    /** Where the results go. */
    static final class Output {
        @Option(
                names = "--out",
                paramLabel = "FILE.png|DIR",
                description = "The image's file, or the folder for it (default: here, named after the prompt).")
        Optional<Path> out = Optional.empty();

        @Option(
                names = "--format",
                paramLabel = "text|json",
                defaultValue = "text",
                description = "What to print on stdout; json: one object with a row for each image.")
        OutputFormat format = OutputFormat.TEXT;
    }

    /** All that can be wrong with the command itself is found before the model is loaded. */
    @Override
    public Integer call() {
        ChosenModel chosen = model.choose(spec.commandLine());
        Comparison comparison;
        try {
            compare.requireComparable();
            Request request = image.request(PromptArgument.text(promptArgument), chosen);
            comparison = new Comparison(
                    request,
                    compare.settings(),
                    List.of(ImageMeasure.PSNR, ImageMeasure.SSIM),
                    compare.mapPlace(request));
        } catch (IllegalArgumentException e) {
            throw UsageErrors.of(spec.commandLine(), e);
        }
        Request request = comparison.request();
        Path file = OutputFiles.choose(
                        spec.commandLine(),
                        output.out,
                        "compare " + request.prompts().get(0),
                        request.seed(),
                        1)
                .get(0);
        if (compare.maps) {
            comparison.settings().forEach(setting -> OutputFiles.requireReplaceable(mapFile(file, setting)));
        }
        try (Interruption interruption = Interruption.watch(spec.commandLine().getErr())) {
            return run(comparison, chosen, file, interruption);
        }
    }

    private int run(Comparison comparison, ChosenModel chosen, Path file, Interruption interruption) {
        PrintWriter err = spec.commandLine().getErr();
        String engine = Engine.start().describe(Placement.choose(model.device, model.dtype));
        err.println(engine);
        chosen.announce(err);
        boolean terminal = ProgressDisplay.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                chosen.source(), model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            if (interruption.isStopped()) {
                throw new CancellationException("Stopped while loading");
            }
            List<Panel> panels;
            try (CompareProgress progress = new CompareProgress(err, terminal, () -> !interruption.isStopped())) {
                panels = comparison.run(pipeline, progress);
            } catch (IllegalArgumentException e) {
                throw UsageErrors.of(spec.commandLine(), e);
            }
            panels.get(0).result().droppedWords().stream()
                    .filter(words -> !words.isEmpty())
                    .forEach(words -> err.println("The prompt is too long for the model; it never saw: " + words));
            Map<String, Path> maps = saveMaps(panels, file, interruption);
            CompareReport report = new CompareReport(pipeline.modelName(), engine, panels, file, maps);
            boolean labels = Fonts.areThere();
            if (!labels) {
                err.println(Fonts.MISSING + ". The rows below are in the order of the images.");
            }
            ComparisonSheet sheet = new ComparisonSheet(report.title(), panels, compare.difference, labels);
            interruption.writing(() -> PngFiles.write(sheet.image(), file));
            print(report);
        }
        return 0;
    }

    private static Map<String, Path> saveMaps(List<Panel> panels, Path file, Interruption interruption) {
        Map<String, Path> files = new LinkedHashMap<>();
        for (Panel panel : panels) {
            if (panel.map().isPresent() && panel.merging().isPresent()) {
                Path mapFile = mapFile(file, panel.merging().get().options());
                interruption.writing(() -> PngFiles.write(panel.map().get().draw(panel.image()), mapFile));
                files.put(panel.label(), mapFile);
            }
        }
        return files;
    }

    private static Path mapFile(Path file, ToMeOptions setting) {
        String stem = file.getFileName().toString().replaceFirst("(?i)\\.png$", "");
        return file.resolveSibling(stem + "-map-" + LowerCase.name(setting.method()) + "-" + setting.ratio() + ".png");
    }

    private void print(CompareReport report) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(output.format == OutputFormat.JSON ? report.json() : report.text());
        out.flush();
    }
}
