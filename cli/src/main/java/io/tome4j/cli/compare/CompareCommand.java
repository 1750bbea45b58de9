package io.tome4j.cli.compare;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.ModelOptions;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.options.PromptArgument;
import io.tome4j.cli.options.SamplingOptions;
import io.tome4j.cli.session.OutputFiles;
import io.tome4j.cli.session.ReservedFiles;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.SessionCommand;
import io.tome4j.diffusion.PngFiles;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.compare.Comparison;
import io.tome4j.evaluation.compare.ComparisonSheet;
import io.tome4j.evaluation.compare.Fonts;
import io.tome4j.evaluation.compare.Panel;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.quality.Setting;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;

/** Shows what merging costs and gains. */
@Command(
        name = "compare",
        description = "Make the same image without merging and with it, side by side, with times and distances.",
        footer = {
            "",
            "Example:",
            "  tome compare \"a red apple\" --ratios 0.25,0.5,0.75 --methods tome,todo --difference --maps --out a.png"
        })
public final class CompareCommand extends SessionCommand<CompareCommand.Plan> {
    @Mixin
    private PromptArgument prompt = new PromptArgument();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private ModelOptions model = new ModelOptions();

    private final SamplingOptions image = SamplingOptions.ofOnePass(Request.IMAGES_PER_PROMPT, Request.SEED_PER_IMAGE);
    private final CompareOptions compare = new CompareOptions();

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

    /**
     * What to do.
     *
     * @param file gets the images side by side
     */
    record Plan(ChosenModel model, Comparison comparison, Path file) {}

    @Override
    protected List<ArgGroupSpec> tableGroups() {
        return List.of(image.group("Image", 2), compare.group("Token merging", 3));
    }

    @Override
    protected Plan plan(ReservedFiles reserved) {
        ChosenModel chosen = model.choose();
        compare.requireComparable();
        Request request = image.request(prompt.text(), chosen);
        List<Setting> settings = compare.settings();
        Comparison comparison = new Comparison(
                request, settings, List.of(ImageMeasure.PSNR, ImageMeasure.SSIM), compare.mapPlace(request));
        String name = "compare " + request.prompts().get(0);
        Path file = OutputFiles.choose(output.out, name, request.seed(), 1, reserved)
                .get(0);
        if (compare.maps) {
            settings.stream()
                    .filter(Setting::merges)
                    .forEach(setting -> OutputFiles.requireFile(mapFile(file, setting)));
        }
        return new Plan(chosen, comparison, file);
    }

    @Override
    protected void run(Plan plan, Session session) {
        String engine = session.start(plan.model(), plan.comparison().request().prompts());
        try (var pipeline = session.load(plan.model())) {
            Comparison comparison = plan.comparison();
            long images = 2L * (comparison.settings().size() + 1); // with their differences or maps
            session.requireRoom(List.of(plan.file()), images, pipeline, comparison.request());
            List<Panel> panels;
            try (CompareProgress progress =
                    new CompareProgress(session, plan.comparison().request().steps())) {
                panels = plan.comparison().run(pipeline, progress);
            }
            session.warnOf(panels.get(0).result());
            Map<String, Path> maps = saveMaps(panels, plan.file(), session);
            CompareReport report = new CompareReport(pipeline.modelName(), engine, panels, plan.file(), maps);
            boolean labels = Fonts.areThere();
            if (!labels) {
                session.err().println(Fonts.MISSING + ". The rows below are in the order of the images.");
            }
            ComparisonSheet sheet = new ComparisonSheet(report.title(), panels, compare.difference, labels);
            session.write(() -> PngFiles.write(sheet.image(), plan.file()));
            session.print(output.format, report);
        }
    }

    private static Map<String, Path> saveMaps(List<Panel> panels, Path file, Session session) {
        Map<String, Path> files = new LinkedHashMap<>();
        for (Panel panel : panels) {
            if (panel.map().isPresent()) {
                Path mapFile = mapFile(file, panel.setting());
                session.write(() -> PngFiles.write(panel.map().get().draw(panel.image()), mapFile));
                files.put(panel.label(), mapFile);
            }
        }
        return files;
    }

    private static Path mapFile(Path file, Setting setting) {
        String stem = file.getFileName().toString().replaceFirst("(?i)\\.png$", "");
        return file.resolveSibling(stem + "-map-" + setting.slug() + ".png");
    }
}
