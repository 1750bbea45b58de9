package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ConvertedTensors;
import io.tome4j.checkpoint.ConvertedTensors.Stored;
import io.tome4j.checkpoint.ModelIndex;
import io.tome4j.models.singlefile.BaseModel.Kind;
import io.tome4j.models.singlefile.FileContents.Part;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A model in a single safetensors file, under LDM's or diffusers' names, as the checkpoint that its folder would be:
 *
 * <ol>
 *   <li>{@link FileContents} tells what the file is, and which parts lie in it under which names.
 *   <li>What a config says is told by the shapes, and by the family that has such shapes ({@link BaseModel}); or it is that
 *       of another checkpoint ({@link SingleFileOptions#config}), which also gives the parts that the file lacks.
 *   <li>Each part's tensors are found by the dictionary that its own config gives ({@link PartNames}).
 *   <li>What is left over must be known, or lie beside the parts: then it is said.
 * </ol>
 */
public final class SingleFile implements Checkpoint {
    private static final String END = "<|endoftext|>";

    private final FileContents contents;
    private final Optional<BaseModel> base;
    private final ModelIndex index;
    private final Map<String, Component> components = new LinkedHashMap<>();
    private final Optional<Checkpoint> others;
    private final Set<String> taken = new HashSet<>(); // names in the file

    private SingleFile(FileContents contents, Optional<BaseModel> base, ModelIndex index, Optional<Checkpoint> others) {
        this.contents = contents;
        this.base = base;
        this.index = index;
        this.others = others;
    }

    /**
     * Opens a file; its tensors stay there until they are loaded.
     *
     * @param notices is told in one line what the file was taken for, and in another what of it is left out
     * @throws TomeException if it is no model, damaged or of no known family, saying what it is and what to do
     */
    public static SingleFile open(Path path, SingleFileOptions options, Consumer<String> notices) {
        FileContents contents = FileContents.of(path);
        if (contents.kind() != FileKind.MODEL && contents.kind() != FileKind.UNET) {
            throw new TomeException(path + " is " + contents.kind().title() + ", no model: "
                    + contents.kind().use() + "."
                    + (contents.fits().isEmpty() ? "" : " It fits " + contents.fits() + "."));
        }
        return options.config().isPresent()
                ? described(contents, options.config().get(), options, notices)
                : told(contents, options, notices);
    }

    /** A file of which another checkpoint says what it is. */
    private static SingleFile described(
            FileContents contents, Checkpoint config, SingleFileOptions options, Consumer<String> notices) {
        SingleFile file =
                new SingleFile(contents, options.base().or(contents::base), config.modelIndex(), Optional.of(config));
        Map<String, Supplier<Config>> configs = new LinkedHashMap<>();
        contents.parts().keySet().stream()
                .filter(config::has)
                .forEach(name -> configs.put(name, () -> PartNames.configOf(config, name)));
        file.addParts(configs, options);
        notices.accept(contents.path().getFileName() + ": a model as " + config.path() + " describes it, "
                + String.join(", ", contents.dtypes()));
        file.requireNothingUnknown(notices);
        return file;
    }

    /** A file that is told by itself. */
    private static SingleFile told(FileContents contents, SingleFileOptions options, Consumer<String> notices) {
        UNetStructure unet = contents.unet().orElseThrow();
        BaseModel base = options.base().or(contents::base).orElseThrow(() -> unknown(contents, unet));
        requireSupported(contents, unet);
        String prediction = contents.markedPrediction().orElse(base.predictionType());
        boolean lcm = unet.guidanceSize() > 0;
        String scheduler = base.schedulerJson(lcm, prediction, Prediction.hasZeroTerminalSnr(contents.tensors()));
        SingleFile file = new SingleFile(contents, Optional.of(base), index(base, unet, scheduler), Optional.empty());
        String origin = contents.path() + " (told by its tensors)";
        Map<String, Supplier<Config>> configs = new LinkedHashMap<>();
        contents.parts()
                .forEach((name, part) ->
                        configs.put(name, () -> config(name, part, base, unet).build(origin)));
        file.addParts(configs, options);
        file.components.put("scheduler", FilePart.told("scheduler", origin, scheduler));
        for (String tokenizer : List.of("tokenizer", "tokenizer_2")) {
            String pad = tokenizer.equals("tokenizer_2") || base.kind() == Kind.SD2 ? "!" : END;
            file.components.put(tokenizer, FilePart.told(tokenizer, origin, "{\"pad_token\": \"" + pad + "\"}"));
        }
        int side = base.side();
        notices.accept(
                contents.path().getFileName() + ": " + base.title() + (unet.inChannels() == 9 ? " for inpainting" : "")
                        + (lcm ? ", a latent consistency model" : "") + ", "
                        + (prediction.equals("epsilon") ? "predicts noise" : "predicts " + prediction)
                        + ", " + side + "x" + side + ", " + String.join(", ", contents.dtypes()));
        file.requireNothingUnknown(notices);
        return file;
    }

    private static TomeException unknown(FileContents contents, UNetStructure unet) {
        return TomeException.about(
                "base",
                "It cannot be told what the model in " + contents.path()
                        + " was trained from: it sees texts of size " + unet.textSize() + ", and has " + unet.width()
                        + " channels at its first level"
                        + (unet.addedSize() > 0 ? " and an added embedding of size " + unet.addedSize() : "")
                        + (isUnclip(unet) ? ", as models that vary images (unCLIP) have, which are not supported" : "")
                        + ". Say it (base: " + BaseModel.ids()
                        + "), or name a folder or a model's id with the same config"
                        + " (config).");
    }

    private static boolean isUnclip(UNetStructure unet) {
        return unet.textSize() == Kind.SD2.textSize() && unet.addedSize() > 0;
    }

    private static void requireSupported(FileContents contents, UNetStructure unet) {
        String what =
                switch (unet.inChannels()) {
                    case 4, 9 -> isUnclip(unet) ? "varies images (unCLIP)" : "";
                    case 5 -> "is guided by depth";
                    case 7 -> "enlarges images";
                    case 8 -> "edits images by instructions (InstructPix2Pix)";
                    default -> "takes " + unet.inChannels() + " channels";
                };
        if (!what.isEmpty()) {
            throw new TomeException("The model in " + contents.path() + " " + what + ", which is not supported: models"
                    + " that take text, and those for inpainting, are.");
        }
        if (Prediction.isEdm(contents.tensors())) {
            throw new TomeException(
                    "The model in " + contents.path() + " was trained with noise levels of its own (EDM),"
                            + " as Playground 2.5 was, which is not supported; a folder whose scheduler suits it may be named"
                            + " (config).");
        }
    }

    private static ModelIndex index(BaseModel base, UNetStructure unet, String scheduler) {
        Map<String, String> parts = new TreeMap<>();
        parts.put("scheduler", Config.parse(scheduler, "scheduler").text("_class_name"));
        parts.put("unet", "UNet2DConditionModel");
        parts.put("vae", "AutoencoderKL");
        if (base.kind() != Kind.REFINER) {
            parts.put("text_encoder", "CLIPTextModel");
            parts.put("tokenizer", "CLIPTokenizer");
        }
        if (base.kind().isXl()) {
            parts.put("text_encoder_2", "CLIPTextModelWithProjection");
            parts.put("tokenizer_2", "CLIPTokenizer");
        }
        String kind = unet.inChannels() == 9 ? "Inpaint" : base.kind() == Kind.REFINER ? "Img2Img" : "";
        return new ModelIndex("StableDiffusion" + (base.kind().isXl() ? "XL" : "") + kind + "Pipeline", parts);
    }

    private static ConfigBuilder config(String name, Part part, BaseModel base, UNetStructure unet) {
        return switch (name) {
            case "unet" -> unet.config(base);
            case "vae" ->
                OtherConfigs.vae(part.view(), part.naming(), base.kind().latentScale());
            default -> OtherConfigs.text(part.view(), part.naming(), base.kind(), name.equals("text_encoder_2"));
        };
    }

    private void addParts(Map<String, Supplier<Config>> configs, SingleFileOptions options) {
        Map<String, Part> parts = contents.parts();
        List<String> prefixes =
                parts.values().stream().map(part -> part.view().prefix()).toList();
        configs.forEach((name, config) -> {
            Part part = parts.get(name);
            if (part == null) {
                return;
            }
            List<String> inside = prefixes.stream()
                    .filter(prefix -> !prefix.equals(part.view().prefix())
                            && prefix.startsWith(part.view().prefix()))
                    .toList();
            Map<String, Stored> stored = PartNames.of(name, part, config.get(), inside);
            stored.values().forEach(from -> taken.add(from.name()));
            if (name.equals("unet") && options.movingAverage()) {
                stored = PartNames.averaged(stored, part);
            }
            components.put(
                    name,
                    new FilePart(
                            name,
                            path().toString(),
                            config,
                            Optional.of(new ConvertedTensors(contents.tensors(), stored))));
        });
    }

    /** Unknown tensors among a part's are an error, beside them they are said. */
    private void requireNothingUnknown(Consumer<String> notices) {
        List<String> wrong = new ArrayList<>();
        List<String> beside = new ArrayList<>();
        for (String name : contents.tensors().names()) {
            if (taken.contains(name) || KnownJunk.isKnown(name)) {
                continue;
            }
            Optional<Map.Entry<String, Part>> owner = owner(name);
            if (owner.isEmpty()) {
                beside.add(name);
            } else if (!isKnownIn(owner.get(), name)) {
                wrong.add(name);
            }
        }
        if (!wrong.isEmpty()) {
            throw new TomeException("Unexpected in " + path() + ": " + shown(wrong) + ". The model that its config"
                    + " describes has no such " + (wrong.size() == 1 ? "tensor." : "tensors."));
        }
        if (!beside.isEmpty()) {
            notices.accept(
                    path().getFileName() + ": left out, as it belongs to no part of the model: " + shown(beside));
        }
    }

    /** The part whose prefix is the longest that the name begins with. */
    private Optional<Map.Entry<String, Part>> owner(String name) {
        return contents.parts().entrySet().stream()
                .filter(entry -> components.containsKey(entry.getKey()))
                .filter(entry -> name.startsWith(entry.getValue().view().prefix()))
                .max(Comparator.comparingInt(
                        entry -> entry.getValue().view().prefix().length()));
    }

    private boolean isKnownIn(Map.Entry<String, Part> owner, String name) {
        Part part = owner.getValue();
        boolean unusedLayer = part.naming() == Naming.OPEN_CLIP
                && !owner.getKey().equals("text_encoder_2")
                && name.startsWith(part.view().prefix() + "transformer.resblocks.");
        return unusedLayer
                || KnownJunk.isKnownIn(
                        owner.getKey(), name.substring(part.view().prefix().length()));
    }

    private static String shown(List<String> names) {
        return String.join(
                        ", ",
                        names.stream().limit(5).map(name -> "'" + name + "'").toList())
                + (names.size() > 5 ? " and " + (names.size() - 5) + " more" : "");
    }

    /** What the file was told to be. */
    public FileContents contents() {
        return contents;
    }

    /** What it was trained from, as far as that is known. */
    public Optional<BaseModel> base() {
        return base;
    }

    /** What latents are multiplied by for a UNet of this family: the {@code scaling_factor} of its VAE's config. */
    public double latentScale() {
        return base.orElse(BaseModel.SD15).kind().latentScale();
    }

    @Override
    public Path path() {
        return contents.path();
    }

    @Override
    public ModelIndex modelIndex() {
        return index;
    }

    @Override
    public boolean has(String component) {
        return components.containsKey(component)
                || others.filter(other -> other.has(component)).isPresent();
    }

    @Override
    public Component component(String name) {
        Component here = components.get(name);
        if (here != null) {
            return here;
        }
        return others.orElseThrow(() -> TomeException.about(
                        "config",
                        "The file " + path() + " has no " + name + " (there: "
                                + String.join(", ", contents.components())
                                + "). Name a folder or a model's id that has it (config)"
                                + (name.equals("vae") ? ", or a VAE (vae)." : ".")))
                .component(name);
    }
}
