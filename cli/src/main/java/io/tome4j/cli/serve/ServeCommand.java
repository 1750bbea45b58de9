package io.tome4j.cli.serve;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.cli.options.ModelOptions;
import io.tome4j.cli.session.DownloadProgress;
import io.tome4j.cli.session.Version;
import io.tome4j.diffusion.ControlNetFolder;
import io.tome4j.diffusion.EmbeddingFolder;
import io.tome4j.diffusion.Lora;
import io.tome4j.diffusion.LoraFolder;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.UpscalerFolder;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.ServerSettings;
import io.tome4j.server.TomeServer;
import io.tome4j.server.generate.Folders;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes images for whoever asks over HTTP. */
@Command(
        name = "serve",
        description =
                "Serve images over HTTP: a page to try merging on, the API of Automatic1111's web UI (/sdapi/v1), and"
                        + " OpenAI's images API (/v1).",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        modelTransformer = ServeCommand.MergingGroup.class,
        footer = {
            "",
            "Examples:",
            "  tome serve",
            "  TOME_TOKEN=secret-word tome serve --host 0.0.0.0 --model stable-diffusion-v1-5/stable-diffusion-v1-5"
        })
public final class ServeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @ArgGroup(validate = false, heading = "%nListening:%n", order = 1)
    private ListenOptions listen = new ListenOptions();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 2)
    private ModelOptions model = new ModelOptions();

    private final MergingOptions merging = new MergingOptions(ToMeOptions.RATIO.defaultValue());

    @ArgGroup(validate = false, heading = "%nLimits:%n", order = 4)
    private LimitOptions limits = new LimitOptions();

    @Option(
            names = "--more-models",
            paramLabel = "MODEL,...",
            split = ",",
            description = "Further models that requests may name; one at a time is in memory.")
    private List<String> moreModels = new ArrayList<>();

    @Option(
            names = "--lora",
            paramLabel = "FILE[:WEIGHT[:TEXT-WEIGHT]]",
            description =
                    "A LoRA or the like that all images of --model have; it is added while the model loads. May be given"
                            + " several times.")
    private List<String> loras = new ArrayList<>();

    @Option(
            names = "--lora-dir",
            paramLabel = "FOLDER",
            description = "LoRAs that prompts may name: <lora:name:0.8> (default: none).")
    private Optional<Path> loraFolder = Optional.empty();

    @Option(
            names = "--embedding-dir",
            paramLabel = "FOLDER",
            description =
                    "Textual inversions that prompts may name by their tokens, or by the files' names (default: none).")
    private Optional<Path> embeddings = Optional.empty();

    @Option(
            names = "--controlnet-dir",
            paramLabel = "FOLDER",
            description =
                    "ControlNets that clients of Automatic1111's API may name: safetensors files, and folders that"
                            + " diffusers saved (default: none).")
    private Optional<Path> controlNets = Optional.empty();

    @Option(
            names = "--preview-vae",
            paramLabel = "FILE|FOLDER",
            description =
                    "A VAE, best a tiny one (TAESD), that decodes previews of a run at full size (default: small ones"
                            + " without it, which cost next to nothing).")
    private Optional<Path> previewVae = Optional.empty();

    @Option(
            names = "--upscaler-dir",
            paramLabel = "FOLDER",
            description =
                    "ESRGANs that second passes may name; also A1111's folder, with models/ESRGAN in it (default: none).")
    private Optional<Path> upscalers = Optional.empty();

    @Option(
            names = "--save-images",
            paramLabel = "FOLDER",
            description = "Keep images there that clients of Automatic1111's API want to be kept (default: keep none).")
    private Optional<Path> images = Optional.empty();

    @Option(names = "--log", description = "Write a line of JSON on stderr for each request and job.")
    private boolean log;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        PrintWriter out = spec.commandLine().getOut();
        ServerSettings settings = settings(err);
        ChosenModel chosen = model.choose();
        err.println(Engine.start().describe(chosen.placement(), chosen.options().attention()));
        chosen.announce(err);
        TomeServer server = new TomeServer(settings, log ? err : new PrintWriter(Writer.nullWriter()));
        CountDownLatch stopped = new CountDownLatch(1);
        Thread hook = new Thread(
                () -> {
                    server.close();
                    stopped.countDown();
                },
                "tome-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        server.start();
        out.println("Listening on " + server.address());
        out.flush();
        stopped.await();
        return 0;
    }

    private ServerSettings settings(PrintWriter err) {
        List<ServedModel> models = new ArrayList<>();
        List<Lora> added = loras.stream().map(Lora::parse).toList();
        added.forEach(Lora::requireFile);
        models.add(served(model.choose().with(added), err));
        for (String name : moreModels) {
            ServedModel more = served(model.choose(name), err);
            if (models.stream().anyMatch(there -> there.name().equals(more.name()))) {
                throw new OptionException("--more-models has " + OptionException.literal(more.name()) + " twice");
            }
            models.add(more);
        }
        ServerSettings settings = ServerSettings.of(listen.settings(), models)
                .limits(limits.limits())
                .queue(limits.queue())
                .merging(merging.options())
                .folders(new Folders(
                        loraFolder.map(LoraFolder::of),
                        embeddings.map(EmbeddingFolder::of),
                        controlNets.map(ControlNetFolder::of),
                        upscalers.map(UpscalerFolder::of)));
        images.ifPresent(ServeCommand::requireFolder);
        return images.map(settings::images).orElse(settings);
    }

    private static void requireFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new OptionException(
                    "--save-images is " + OptionException.literal(folder.toString()) + ": no folder can be made there",
                    e);
        }
    }

    private ServedModel served(ChosenModel chosen, PrintWriter err) {
        PipelineOptions options = previewVae.map(chosen.options()::previewVae).orElse(chosen.options());
        return new ServedModel(
                shown(chosen),
                chosen.embedded().map(EmbeddedModel::fingerprint).orElse(""),
                chosen.options().refiner(),
                new ServedModel.Defaults(
                        chosen.steps(),
                        chosen.guidanceScale().orElse(Request.GUIDANCE_SCALE.defaultValue()),
                        chosen.width(),
                        chosen.height(),
                        chosen.options().loras()),
                () -> StableDiffusionPipeline.fromPretrained(chosen.source(), options, new DownloadProgress(err)));
    }

    /** As the pipeline calls it: a folder by its own name. */
    private static String shown(ChosenModel chosen) {
        Path folder = Path.of(chosen.name());
        return chosen.embedded().isEmpty() && Files.isDirectory(folder)
                ? String.valueOf(folder.toAbsolutePath().normalize().getFileName())
                : chosen.name();
    }

    /** Adds the options of merging, which come from a table. */
    static final class MergingGroup implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            ServeCommand command = (ServeCommand) spec.userObject();
            return spec.addArgGroup(command.merging.group("Token merging, where a request does not say", 3));
        }
    }
}
