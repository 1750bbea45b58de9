package io.tome4j.cli.evaluate;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.cli.options.ModelOptions;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.options.SamplingOptions;
import io.tome4j.cli.session.OutputFiles;
import io.tome4j.cli.session.ReservedFiles;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.SessionCommand;
import io.tome4j.diffusion.Request;
import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.quality.Evaluation;
import io.tome4j.evaluation.quality.Measures;
import io.tome4j.evaluation.quality.Prompts;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.evaluation.retrieval.Drawings;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures how good the images are. */
@Command(
        name = "evaluate",
        description =
                "Measure what token merging costs and gains over many prompts; or how well the embedded model draws"
                        + " what it is asked for.",
        footer = {
            "",
            "Examples:",
            "  tome evaluate prompts.tsv --samples 64 --ratios 0.25,0.5 --methods tome,todo,tomesd --out evaluation",
            "  tome evaluate --motifs --samples 64 --retrieval --out evaluation",
            "  tome evaluate --retrieval --samples 200 --seed 99 --ratio 0.5 --out images --sheet sheet.png"
        })
public final class EvaluateCommand extends SessionCommand<EvaluateCommand.Run> {
    private static final int USUAL_RETRIEVALS = 200;
    private static final int USUAL_MOTIFS = 64;

    @Parameters(
            paramLabel = "PROMPTFILE",
            arity = "0..1",
            description = "Prompts, one a line, or a .tsv file with a column Prompt and, where they are known, Category"
                    + " and Challenge. Each is drawn without merging and with each setting of it.")
    private Optional<Path> promptFile = Optional.empty();

    @ArgGroup(validate = false, heading = "%nWhat to measure:%n", order = 1)
    private Measure measure = new Measure();

    @ArgGroup(validate = false, heading = "%nSettings to compare with no merging:%n", order = 2)
    private GridOptions grid = new GridOptions();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 3)
    private ModelOptions model = new ModelOptions();

    private final SamplingOptions sampling =
            SamplingOptions.ofOnePass(Request.SEED, Request.IMAGES_PER_PROMPT, Request.SEED_PER_IMAGE);

    /** What is measured first is the model by itself: the usual ratio is 0. */
    private final MergingOptions merging = new MergingOptions(0);

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 6)
    private Output output = new Output();

    /** What to draw, and what else to find out. */
    static final class Measure {
        @Option(names = "--motifs", description = "Draw the embedded model's own motifs instead of a file's prompts.")
        boolean motifs;

        @Option(
                names = "--retrieval",
                description = "Look the images up among all motifs: how often is the right one the nearest, and how"
                        + " often among the nearest ten? With --motifs for each setting; else with one, see --ratio.")
        boolean retrieval;

        @Option(
                names = "--drawings",
                paramLabel = "DIR",
                description = "With --retrieval alone: compare each image with its motif's full-size drawing, too; the"
                        + " folder is the one that emoji/training/data.py writes.")
        Optional<Path> drawings = Optional.empty();

        @Option(
                names = "--samples",
                paramLabel = "N",
                description = "How many prompts to draw (default: all of a file; " + USUAL_MOTIFS + " motifs; "
                        + USUAL_RETRIEVALS + " for --retrieval alone).")
        Optional<Integer> samples = Optional.empty();

        @Option(
                names = "--seed",
                paramLabel = "N",
                defaultValue = "99",
                description = "Draws the prompts, and gives each one's images a seed of their own (default:"
                        + " ${DEFAULT-VALUE}).")
        long seed = 99;
    }

    /** Where the results go. */
    static final class Output {
        @Option(
                names = "--out",
                paramLabel = "DIR",
                description = "Keep the images in this folder, and the results beside them; a run that was stopped goes"
                        + " on there.")
        Optional<Path> out = Optional.empty();

        @Option(
                names = "--sheet",
                paramLabel = "FILE.png",
                description = "With --retrieval alone: write a contact sheet of the first 48 images there.")
        Optional<Path> sheet = Optional.empty();

        @Option(
                names = "--format",
                paramLabel = "text|json",
                defaultValue = "text",
                description = "What to print on stdout; json: one object with all figures.")
        OutputFormat format = OutputFormat.TEXT;
    }

    @Override
    protected List<ArgGroupSpec> tableGroups() {
        return List.of(sampling.group("Image", 4), merging.group("Token merging", 5));
    }

    /** What the command line asks for, known to be right. */
    interface Run {
        void run(Session session);
    }

    @Override
    protected Run plan(ReservedFiles reserved) {
        boolean overPrompts = promptFile.isPresent() || measure.motifs;
        if (!overPrompts && !measure.retrieval) {
            throw new OptionException(
                    "Say what to measure: a prompt file or --motifs for what merging costs, or --retrieval for how"
                            + " well the embedded model draws");
        }
        if (promptFile.isPresent() && (measure.motifs || measure.retrieval)) {
            throw new OptionException((measure.motifs ? "--motifs" : "--retrieval")
                    + " is about the embedded model's own motifs: leave the prompt file away"
                    + (measure.motifs ? "" : ", or take --motifs instead"));
        }
        refuse(
                overPrompts
                        ? List.of(
                                "--ratio",
                                "--method",
                                "--merging",
                                "--auto",
                                "--mode",
                                "--tomesd",
                                "--sheet",
                                "--drawings")
                        : gridOptions(),
                overPrompts
                        ? " is for --retrieval alone: say --ratios and --methods, such as --methods tome,tomesd"
                        : " is for a prompt file or --motifs");
        ChosenModel chosen = model.choose();
        return overPrompts ? quality(chosen) : retrieval(chosen);
    }

    @Override
    protected String outcomeIfStopped(Run plan) {
        return output.out
                .map(folder -> "finished images are in " + folder + ", and the same command goes on from there")
                .orElse(super.outcomeIfStopped(plan));
    }

    @Override
    protected void run(Run plan, Session session) {
        plan.run(session);
    }

    private static List<String> gridOptions() {
        return List.of("--ratios", "--methods", "--measures", "--lpips", "--clip-score", "--features", "--maps");
    }

    private void refuse(List<String> options, String why) {
        for (String option : options) {
            if (spec().commandLine().getParseResult().hasMatchedOption(option)) {
                throw new OptionException(option + why);
            }
        }
    }

    private QualityRun quality(ChosenModel chosen) {
        Path folder = output.out.orElseThrow(
                () -> new OptionException("Say where to keep the images and the results: --out FOLDER"));
        Request template = sampling.request("", chosen);
        List<Setting> settings = grid.settings(merging.base());
        Prompts all = promptFile.map(Prompts::read).orElseGet(() -> Prompts.of(Motifs.load()));
        Prompts drawn = measure.motifs || measure.samples.isPresent()
                ? all.draw(measure.samples.orElse(USUAL_MOTIFS), measure.seed)
                : all;
        String source = all.source() + " " + all.fingerprint() + (drawn.equals(all) ? "" : ", drawn");
        Measures withoutNetworks = new Measures(grid.imageMeasures(), Optional.empty(), Optional.empty());
        Evaluation evaluation =
                new Evaluation(drawn, settings, template, measure.seed, withoutNetworks, measure.retrieval, grid.maps);
        return new QualityRun(chosen, evaluation, grid, source, folder, output.format);
    }

    private RetrievalRun retrieval(ChosenModel chosen) {
        ToMeOptions options = merging.options();
        Request template = sampling.request("", chosen);
        Motifs motifs = Motifs.load();
        Retrieval retrieval = new Retrieval(
                motifs,
                measure.samples.orElse(USUAL_RETRIEVALS),
                measure.seed,
                template,
                measure.drawings.map(folder -> Drawings.open(folder, motifs)));
        output.sheet.ifPresent(EvaluateCommand::requirePng);
        return new RetrievalRun(chosen, retrieval, template, measure.seed, options, output);
    }

    private static void requirePng(Path file) {
        if (!file.toString().endsWith(".png")) {
            throw new OptionException(
                    "--sheet is " + OptionException.literal(file.toString()) + ": it must end in .png");
        }
        OutputFiles.requireFile(file);
    }
}
