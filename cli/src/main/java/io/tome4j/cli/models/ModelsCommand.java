package io.tome4j.cli.models;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.FolderFiles;
import io.tome4j.checkpoint.HubCache;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.cli.options.ModelsFolder;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.cli.session.Version;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.emoji.Motifs;
import io.tome4j.emoji.Motifs.Motif;
import io.tome4j.models.singlefile.BaseModel;
import io.tome4j.models.singlefile.FileContents;
import io.tome4j.models.singlefile.FileKind;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists the models that can be used without a download. */
@Command(
        name = "models",
        description =
                "List the models that are at hand: the embedded one, those in the Hugging Face cache, and those in"
                        + " folders you name.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class ModelsCommand implements Callable<Integer> {
    private static final String EMBEDDED = "embedded";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            paramLabel = "FOLDER",
            arity = "0..*",
            description = "More folders to look in for folders and single files, at most two levels deep.")
    private List<Path> folders = new ArrayList<>();

    @Option(
            names = "--models-dir",
            paramLabel = "FOLDER",
            description =
                    "A folder of models, as FOLDER; of A1111's web UI too, whose models lie in models/Stable-diffusion.")
    private @Nullable Path modelsDir;

    @Option(names = "--motifs", description = "List what the embedded model draws instead, as prompts.")
    private boolean motifs;

    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "A line a model or motif (default), or one object.")
    private OutputFormat format = OutputFormat.TEXT;

    /**
     * @param name what to pass to {@code --model}
     * @param revision what to pass to {@code --revision}, if it is not the main one; empty for a folder, and for the
     *     embedded model {@value #EMBEDDED}
     * @param bytes on disk
     * @param family in words; empty where it is not known
     * @param path where it lies; the embedded one is unpacked there when it is used first
     */
    private record Found(String name, String revision, long bytes, Path path, String family) {
        /** One whose family was not looked for. */
        Found(String name, String revision, long bytes, Path path) {
            this(name, revision, bytes, path, "");
        }
    }

    @Override
    public Integer call() {
        if (motifs) {
            printMotifs();
            return 0;
        }
        Path cache = HubSettings.fromEnvironment().cache();
        List<Found> found = new ArrayList<>();
        EmbeddedModel embedded = EmbeddedModel.shipped();
        if (embedded.isThere()) {
            found.add(new Found(embedded.name(), EMBEDDED, embedded.bytes(), embedded.location()));
        }
        for (HubCache.CachedModel model : new HubCache(cache).models()) {
            if (CheckpointSource.isSupported(model.folder(), StableDiffusionPipeline.checkpointKinds())) {
                found.add(new Found(model.id(), model.revision(), model.bytes(), model.folder()));
            }
        }
        for (Path folder : folders) {
            found.addAll(inFolder(ModelsFolder.anywhere(folder)));
        }
        if (modelsDir != null) {
            found.addAll(inFolder(ModelsFolder.of(modelsDir)));
        }
        print(cache, found);
        return 0;
    }

    private void printMotifs() {
        if (!folders.isEmpty() || modelsDir != null) {
            throw new OptionException("--motifs are those of the embedded model, whatever folders there are");
        }
        PrintWriter out = spec.commandLine().getOut();
        if (format == OutputFormat.JSON) {
            ObjectNode json = ReportJson.object();
            json.put("model", EmbeddedModel.shipped().name());
            ArrayNode all = json.putArray("motifs");
            for (Motif motif : Motifs.list()) {
                all.addObject().put("id", motif.id()).put("name", motif.name()).put("prompt", motif.prompt());
            }
            out.println(json);
        } else {
            Motifs.list().forEach(motif -> out.println(motif.prompt()));
        }
        out.flush();
    }

    private void print(Path cache, List<Found> found) {
        PrintWriter out = spec.commandLine().getOut();
        if (format == OutputFormat.JSON) {
            ObjectNode json = ReportJson.object();
            json.put("cache", cache.toString());
            ArrayNode models = json.putArray("models");
            for (Found model : found) {
                ObjectNode described = models.addObject()
                        .put("model", model.name())
                        .put("revision", model.revision())
                        .put("bytes", model.bytes())
                        .put("path", model.path().toString());
                if (!model.family().isEmpty()) {
                    described.put("family", model.family());
                }
            }
            out.println(json);
        } else {
            for (Found model : found) {
                out.printf(
                        Locale.ROOT,
                        "%-56s %-12s %8.1f MB  %s%n",
                        model.name(),
                        model.revision(),
                        model.bytes() / 1e6,
                        model.family());
            }
        }
        out.flush();
        if (found.stream().allMatch(model -> model.revision().equals(EMBEDDED))) {
            spec.commandLine()
                    .getErr()
                    .println("No other model is at hand in " + cache + "; 'tome generate PROMPT --model"
                            + " stable-diffusion-v1-5/stable-diffusion-v1-5' downloads one.");
        }
    }

    /** Folders and single files, by name. */
    private static List<Found> inFolder(ModelsFolder folder) {
        return folder.candidates().stream()
                .flatMap(path -> Files.isDirectory(path) ? folder(path) : file(path))
                .sorted(Comparator.comparing(Found::name))
                .toList();
    }

    private static Stream<Found> folder(Path model) {
        return CheckpointSource.isSupported(model, StableDiffusionPipeline.checkpointKinds())
                ? Stream.of(new Found(model.toString(), "", size(model), model))
                : Stream.empty();
    }

    /** A model, or a UNet alone; parts of folders are none, and what is damaged is not told here. */
    private static Stream<Found> file(Path file) {
        Path parent = file.getParent();
        if (parent != null && Files.exists(parent.resolve("config.json"))) {
            return Stream.empty();
        }
        try {
            FileContents contents = FileContents.of(file);
            String family = contents.base().map(BaseModel::title).orElse("");
            return contents.kind() == FileKind.MODEL || contents.kind() == FileKind.UNET
                    ? Stream.of(new Found(file.toString(), "", contents.bytes(), file, family))
                    : Stream.empty();
        } catch (TomeException e) {
            return Stream.empty();
        }
    }

    private static long size(Path folder) {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try {
            return FolderFiles.bytes(folder);
        } catch (IOException e) {
            return 0;
        }
    }
}
