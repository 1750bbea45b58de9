package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ConvertedTensors;
import io.tome4j.checkpoint.ConvertedTensors.Stored;
import io.tome4j.models.singlefile.BaseModel.Kind;
import io.tome4j.models.singlefile.FileContents.Part;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** A VAE that takes the place of a checkpoint's own: a file, a folder of its own, or that of a whole checkpoint. */
public final class VaeFile {
    private static final String NAME = "vae";
    private static final int LATENT_CHANNELS = 4;

    private VaeFile() {}

    /**
     * Opens a VAE as a checkpoint's part.
     *
     * @param path a safetensors file with a VAE, of a model too, or a folder
     * @param replaced the part whose place it takes: how latents are scaled is the UNet's matter, and no file tells it
     * @throws TomeException if there is no VAE, or one of another kind, saying which
     */
    public static Checkpoint.Component open(Path path, Supplier<Config> replaced) {
        if (Files.isDirectory(path)) {
            Checkpoint.Component found = inFolder(path);
            if (found.config().text("_class_name", "").equals(Autoencoder.TINY)) {
                TaesdFile.requireFamily(path, replaced.get().number("scaling_factor", Kind.SD1.latentScale()));
            }
            return found;
        }
        if (!Files.exists(path)) {
            throw TomeException.about("vae", "There is no file and no folder " + path + " with a VAE.");
        }
        FileContents contents = FileContents.of(path);
        if (contents.kind() == FileKind.TAESD) {
            TaesdFile.requireFamily(path, replaced.get().number("scaling_factor", Kind.SD1.latentScale()));
            return TaesdFile.open(path, contents);
        }
        Part part = contents.parts().get(NAME);
        if (part == null) {
            throw TomeException.about("vae", path + " is " + contents.kind().title() + ", and no VAE.");
        }
        // What shapes do not tell is as in the VAE that it replaces.
        double scale = replaced.get().number("scaling_factor", Kind.SD1.latentScale());
        boolean upcast = replaced.get().flag("force_upcast", true);
        int groups = replaced.get().integer("norm_num_groups", 32);
        Supplier<Config> config = () -> OtherConfigs.vae(part.view(), part.naming(), scale)
                .put("force_upcast", upcast)
                .put("norm_num_groups", groups)
                .build(path + " (told by its tensors)");
        Map<String, Stored> stored = PartNames.of(NAME, part, config.get(), List.of());
        if (part.naming() == Naming.LDM) {
            requireNothingUnknown(part, stored, path);
        }
        return new FilePart(
                NAME, path.toString(), config, Optional.of(new ConvertedTensors(contents.tensors(), stored)));
    }

    private static void requireNothingUnknown(Part part, Map<String, Stored> stored, Path path) {
        List<String> known = stored.values().stream().map(Stored::name).toList();
        part.view()
                .names()
                .filter(name -> !known.contains(name))
                .filter(name ->
                        !KnownJunk.isKnown(name.substring(part.view().prefix().length())))
                .findFirst()
                .ifPresent(name -> {
                    throw TomeException.about(
                            "vae", "Unexpected in " + path + ": '" + name + "'. A VAE has no such tensor.");
                });
    }

    private static Checkpoint.Component inFolder(Path folder) {
        boolean whole = Files.exists(folder.resolve("model_index.json"));
        Checkpoint.Component found =
                whole ? CheckpointFolder.open(folder).component(NAME) : CheckpointFolder.Component.alone(folder, "");
        int latents = found.config().integer("latent_channels", LATENT_CHANNELS);
        if (latents != LATENT_CHANNELS) {
            throw TomeException.about(
                    "vae",
                    "The VAE in " + folder + " has " + latents + " latent channels: "
                            + (latents == 16 ? "it belongs to Stable Diffusion 3 or Flux. " : "")
                            + "Models of Stable Diffusion 1, 2 and XL need one of " + LATENT_CHANNELS + ".");
        }
        return new Named(found);
    }

    /** A folder's part under the name that checkpoints have for it. */
    private record Named(Checkpoint.Component folderPart) implements Checkpoint.Component {
        @Override
        public String name() {
            return NAME;
        }

        @Override
        public String origin() {
            return folderPart.origin();
        }

        @Override
        public Config config() {
            return folderPart.config();
        }

        @Override
        public StoredTensors weights() {
            return folderPart.weights();
        }

        @Override
        public Optional<Path> folder() {
            return folderPart.folder();
        }
    }
}
