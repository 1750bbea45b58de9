package io.tome4j.cli.generate;

import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.ControlOptions;
import io.tome4j.cli.options.IPAdapterOptions;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.cli.options.ModelOptions;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.options.SamplingOptions;
import io.tome4j.cli.options.T2IAdapterOptions;
import io.tome4j.cli.session.OutputFiles;
import io.tome4j.cli.session.ReservedFiles;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.SessionCommand;
import io.tome4j.cli.session.StepProgress;
import io.tome4j.diffusion.Latents;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.TensorScope;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;

/** Makes images from a prompt. */
@Command(
        name = "generate",
        description = "Make an image from a prompt.",
        footer = {
            "",
            "Examples:",
            "  tome generate \"a red apple\"",
            "  tome generate \"a photo of an apple\" --model path/to/checkpoint --seed 42 --out apple.png",
            "  tome generate \"a green apple\" --init-image apple.png --strength 0.6",
            "  tome generate --like apple.png --ratio 0.7"
        })
public final class GenerateCommand extends SessionCommand<GenerateCommand.Plan> {
    @Mixin
    private OptionalPrompt prompt = new OptionalPrompt();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private ModelOptions model = new ModelOptions();

    private final SamplingOptions image = new SamplingOptions();
    private final MergingOptions merging = new MergingOptions(ToMeOptions.RATIO.defaultValue());

    @ArgGroup(validate = false, heading = "%nControlNet:%n", order = 2)
    private ControlOptions control = new ControlOptions();

    @ArgGroup(validate = false, heading = "%nT2I-Adapter:%n", order = 2)
    private T2IAdapterOptions t2iAdapter = new T2IAdapterOptions();

    @ArgGroup(validate = false, heading = "%nIP-Adapter:%n", order = 2)
    private IPAdapterOptions ipAdapter = new IPAdapterOptions();

    @ArgGroup(validate = false, heading = "%nInitial image:%n", order = 3)
    private StartOptions start = new StartOptions();

    @ArgGroup(validate = false, heading = "%nAn image made again:%n", order = 4)
    private LikeOptions again = new LikeOptions();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 6)
    private OutputOptions output = new OutputOptions();

    /**
     * What to do.
     *
     * @param files one for each image
     */
    record Plan(ChosenModel model, Request request, List<Path> files) {}

    @Override
    protected List<ArgGroupSpec> tableGroups() {
        return List.of(image.group("Image", 2), merging.group("Token merging", 5));
    }

    @Override
    protected Plan plan(ReservedFiles reserved) {
        ChosenModel chosen = model.choose();
        Optional<Request> like = again.request(chosen);
        ToMeOptions options =
                like.flatMap(Request::merging).map(merging::options).orElseGet(merging::options);
        Request asked = like.map(this::changed)
                .orElseGet(() -> image.request(prompt.required(), chosen, start.image.isPresent()));
        Request request = model.withUpscaler(
                        start.applyTo(ipAdapter.applyTo(t2iAdapter.applyTo(control.applyTo(asked)))))
                .merging(options);
        output.latents.ifPresent(OutputFiles::requireFile);
        List<Path> files =
                OutputFiles.choose(output.out, request.prompts().get(0), request.seed(), request.images(), reserved);
        output.latents.ifPresent(latents -> OutputFiles.requireDifferent(latents, "--latents", files));
        return new Plan(chosen.with(request.loras()), request, files);
    }

    /** A request that is made again, with what was given besides. */
    private Request changed(Request like) {
        Request prompted =
                prompt.text().map(text -> like.prompts(List.of(text))).orElse(like);
        return image.changed(prompted);
    }

    @Override
    protected void run(Plan plan, Session session) {
        String engine = session.start(plan.model(), plan.request().prompts());
        long start = System.nanoTime();
        try (var pipeline = session.load(plan.model())) {
            Duration loading = since(start);
            session.requireRoom(plan.files(), plan.files().size(), pipeline, plan.request());
            output.latents.ifPresent(
                    file -> session.requireRoom(List.of(file), plan.files().size(), pipeline, plan.request()));
            session.announceMerging(pipeline, plan.request().merging().orElseThrow(), plan.request());
            session.warn(pipeline.advice(plan.request()));
            Result result;
            try (StepProgress progress = new StepProgress(session, steps(pipeline.withDefaults(plan.request())))) {
                result = pipeline.generate(plan.request(), progress);
            }
            session.warnOf(result);
            start = System.nanoTime();
            save(result, plan.files(), session);
            GenerateReport report = new GenerateReport(
                    pipeline.modelName(),
                    engine,
                    pipeline.placement(),
                    result,
                    plan.files(),
                    output.latents,
                    loading,
                    since(start));
            session.print(output.format, report);
            if (output.format == OutputFormat.TEXT) {
                session.err().println(report.summary());
            }
        }
    }

    /** Those of all batches that are made one after another. */
    private static int steps(Request request) {
        return (request.stepsToRun() + request.hiresStepsToRun()) * (request.images() / request.imagesAtATime());
    }

    private void save(Result result, List<Path> files, Session session) {
        for (int i = 0; i < files.size(); i++) {
            int image = i;
            session.write(() -> result.images().get(image).save(files.get(image)));
        }
        output.latents.ifPresent(file -> session.write(() -> saveLatents(result.latents(), file)));
    }

    private static void saveLatents(Latents latents, Path file) {
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(file, Map.of("latents", latents.tensor()));
        }
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }
}
