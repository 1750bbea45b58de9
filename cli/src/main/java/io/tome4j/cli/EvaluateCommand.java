package io.tome4j.cli;

import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.ImageFolder;
import io.tome4j.evaluation.retrieval.ImageStore;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.RetrievalResult;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import java.awt.image.BufferedImage;
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
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures how good the pictures are. */
@Command(
        name = "evaluate",
        description = "Measure how good a model's pictures are, with and without token merging.",
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class,
        defaultValueProvider = EvaluateCommand.Unmerged.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Example:",
            "  tome evaluate --retrieval --samples 200 --seed 99 --ratio 0.5 --out pictures --sheet sheet.png"
        })
final class EvaluateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @ArgGroup(validate = false, heading = "%nWhat to measure:%n", order = 1)
    private Measure measure = new Measure();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 2)
    private ModelOptions model = new ModelOptions();

    @ArgGroup(validate = false, heading = "%nPicture:%n", order = 3)
    private SamplingOptions sampling = new SamplingOptions();

    @ArgGroup(validate = false, heading = "%nToken merging:%n", order = 4)
    private MergingOptions merging = new MergingOptions();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 5)
    private Output output = new Output();

    /** Which measure. */
    static final class Measure {
        @Option(
                names = "--retrieval",
                description = "Draw motifs by their names, and look the pictures up among all motifs: how often is the"
                        + " right one the nearest, and how often among the nearest ten?")
        boolean retrieval;

        @Option(
                names = "--samples",
                paramLabel = "N",
                defaultValue = "200",
                description = "How many motifs to draw (default: ${DEFAULT-VALUE}).")
        int samples = 200;

        @Option(
                names = "--seed",
                paramLabel = "N",
                defaultValue = "99",
                description =
                        "Draws the motifs, and gives each picture a seed of its own (default:" + " ${DEFAULT-VALUE}).")
        long seed = 99;
    }

    /** Where the results go. */
    static final class Output {
        @Option(
                names = "--out",
                paramLabel = "DIR",
                description = "Keep the pictures in this folder; a run that was stopped goes on there.")
        Optional<Path> out = Optional.empty();

        @Option(
                names = "--sheet",
                paramLabel = "FILE.png",
                description = "Write a contact sheet of the first 48 pictures there.")
        Optional<Path> sheet = Optional.empty();

        @Option(
                names = "--format",
                paramLabel = "text|json",
                defaultValue = "text",
                description = "What to print on stdout; json: one object with all figures, and each picture's rank.")
        OutputFormat format = OutputFormat.TEXT;
    }

    /** What is measured first is the model by itself. */
    static final class Unmerged implements IDefaultValueProvider {
        @Override
        public String defaultValue(ArgSpec argument) {
            return argument instanceof OptionSpec option && option.longestName().equals("--ratio")
                    ? "0"
                    : argument.defaultValue();
        }
    }

    /** All that can be wrong with the command itself is found before the model is loaded. */
    @Override
    public Integer call() {
        if (!measure.retrieval) {
            throw new ParameterException(
                    spec.commandLine(), "Say what to measure: --retrieval is the one measure that there is");
        }
        ChosenModel chosen = model.choose(spec.commandLine());
        Request template;
        List<ToMeOptions> options;
        Retrieval retrieval;
        try {
            options = merging.options();
            template = sampling.request("", chosen);
            retrieval = new Retrieval(Motifs.load(), measure.samples, measure.seed, template);
        } catch (IllegalArgumentException e) {
            throw UsageErrors.of(spec.commandLine(), e);
        }
        output.sheet.ifPresent(this::requirePng);
        try (Interruption interruption = Interruption.watch(spec.commandLine().getErr())) {
            return run(retrieval, template, options, chosen, interruption);
        }
    }

    private void requirePng(Path file) {
        if (!file.toString().endsWith(".png")) {
            throw new ParameterException(spec.commandLine(), "--sheet is " + file + ": it must end in .png");
        }
        OutputFiles.requireWritable(Optional.ofNullable(file.getParent()).orElse(Path.of("")));
        OutputFiles.requireReplaceable(file);
    }

    private int run(
            Retrieval retrieval,
            Request template,
            List<ToMeOptions> options,
            ChosenModel chosen,
            Interruption interruption) {
        PrintWriter err = spec.commandLine().getErr();
        Placement placement = Placement.choose(model.device, model.dtype);
        String engine = Engine.start().describe(placement);
        ImageStore store = output.out
                .<ImageStore>map(folder -> new Store(
                        ImageFolder.open(folder, settings(template, options, chosen, placement)), interruption))
                .orElse(ImageStore.NONE);
        err.println(engine);
        chosen.announce(err);
        boolean terminal = ProgressDisplay.onTerminal();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                chosen.source(), model.pipelineOptions(), new DownloadProgress(err, terminal))) {
            Optional<PatchReport> patched = MergingOptions.apply(options, pipeline, template, spec.commandLine());
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
            print(new RetrievalReport(
                    pipeline.modelName(), engine, placement, template, measure.seed, options, result));
        }
        return 0;
    }

    /** All that a picture depends on but its prompt, which its file's name tells. */
    private Map<String, String> settings(
            Request template, List<ToMeOptions> options, ChosenModel chosen, Placement placement) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model", chosen.identity(model.revision, model.variant));
        settings.put("seed", String.valueOf(measure.seed));
        settings.put("steps", String.valueOf(template.steps()));
        settings.put("guidance", String.valueOf(template.guidanceScale()));
        settings.put("scheduler", template.scheduler());
        settings.put("negative", template.negativePrompt());
        settings.put("size", template.width() + "x" + template.height());
        settings.put("merging", options.isEmpty() ? "off" : options.get(0).toString());
        settings.put("device", LowerCase.name(placement.device()));
        settings.put("dtype", LowerCase.name(placement.dtype()));
        settings.put("attention", LowerCase.name(model.attention));
        return settings;
    }

    private void print(RetrievalReport report) {
        PrintWriter out = spec.commandLine().getOut();
        if (output.format == OutputFormat.JSON) {
            out.println(report.json());
        } else {
            out.println(report.text());
        }
        out.flush();
    }

    /** A store that Ctrl-C does not cut off. */
    private record Store(ImageStore store, Interruption interruption) implements ImageStore {
        @Override
        public Optional<BufferedImage> find(String name) {
            return store.find(name);
        }

        @Override
        public void keep(String name, Image image) {
            interruption.writing(() -> store.keep(name, image));
        }
    }
}
