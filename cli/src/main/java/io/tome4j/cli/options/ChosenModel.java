package io.tome4j.cli.options;

import io.tome4j.checkpoint.FolderFiles;
import io.tome4j.checkpoint.WholeFile;
import io.tome4j.diffusion.Lora;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.models.singlefile.BaseModel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The model that a command runs, and what suits it where the user did not say.
 *
 * @param name what to pass to {@code --model}
 * @param embedded the embedded model, if it is that one
 * @param options how to load it
 */
public record ChosenModel(String name, Optional<EmbeddedModel> embedded, PipelineOptions options) {
    static final int USUAL_STEPS = 20;

    /** What the pipeline loads; unpacks the embedded model if that is necessary. */
    public String source() {
        return embedded.map(model -> model.folder().toString()).orElse(name);
    }

    /** Where it runs, and what it computes in. */
    public Placement placement() {
        return options.placement();
    }

    /** The same that is loaded with LoRAs, which its first images are to have. */
    public ChosenModel with(List<Lora> loras) {
        return new ChosenModel(name, embedded, options.loras(loras));
    }

    /** The denoising steps that suit it. */
    public int steps() {
        return embedded.map(EmbeddedModel::steps).orElse(USUAL_STEPS);
    }

    /** Empty leaves it to the checkpoint's family. */
    public Optional<Double> guidanceScale() {
        return embedded.map(EmbeddedModel::guidanceScale);
    }

    /** In pixels; 0 leaves it to the checkpoint. */
    public int width() {
        return embedded.map(EmbeddedModel::width).orElse(0);
    }

    /** In pixels; 0 leaves it to the checkpoint. */
    public int height() {
        return embedded.map(EmbeddedModel::height).orElse(0);
    }

    /** Says which model it is where the user may wonder. */
    public void announce(PrintWriter err) {
        embedded.ifPresent(model -> err.println("Model: the embedded " + model.name() + ", which " + model.description()
                + "; --model takes any Stable Diffusion 1.x, 2.x or XL checkpoint"));
    }

    /** Which weights these are, as well as that can be told without reading them. */
    public String identity() {
        if (embedded.isPresent()) {
            return name + " " + embedded.get().fingerprint();
        }
        Path folder = Path.of(name);
        String which = Files.exists(folder) ? folder.toAbsolutePath().normalize() + state(folder) : name;
        String vae = options.vae()
                .map(file -> " vae " + file.toAbsolutePath().normalize() + state(file))
                .orElse("");
        String told = Stream.of(
                        options.revision(),
                        options.variant(),
                        options.config(),
                        options.base().map(BaseModel::id).orElse(""),
                        options.predictionType(),
                        options.ema() ? "ema" : "",
                        options.refiner().isEmpty() ? "" : "refined by " + options.refiner())
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining(" "));
        return (which + " " + told + vae).strip();
    }

    /** How much there is in a folder or file, and when it was changed last. */
    private static String state(Path folder) {
        long bytes = 0;
        FileTime newest = FileTime.fromMillis(0);
        try {
            for (Path file : Files.isDirectory(folder) ? FolderFiles.in(folder) : List.of(folder)) {
                bytes += Files.size(file);
                FileTime changed = Files.getLastModifiedTime(file);
                newest = changed.compareTo(newest) > 0 ? changed : newest;
            }
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be read: " + WholeFile.reason(e) + ".", e);
        }
        return ", " + bytes + " bytes of " + newest;
    }
}
