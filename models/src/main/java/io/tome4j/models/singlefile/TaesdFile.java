package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ConvertedTensors;
import io.tome4j.checkpoint.ConvertedTensors.Stored;
import io.tome4j.models.singlefile.BaseModel.Kind;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * TAESD in files: both halves in one with diffusers' names, or each in a file of its own with bare numbers, whose decoder
 * counts the bound on its input as a layer. What its tensors do not tell, its name may: for which family it is.
 */
final class TaesdFile {
    private static final List<String> PREFIXES = List.of("%s.layers.", "taesd_%s.", "%s.", "");
    private static final String ENCODER = "encoder";
    private static final String DECODER = "decoder";
    private static final int LATENT_CHANNELS = 4;

    /** As the author names them. */
    private static final Pattern NAME = Pattern.compile("taesd(xl|3)?(_(de|en)coder)?(\\.safetensors)?");

    private TaesdFile() {}

    /**
     * One direction's layers.
     *
     * @param tensors where they lie
     * @param prefix before their numbers
     * @param offset the number of the first
     * @param blocks of each level
     * @param last the number of the last, from 0
     */
    private record Half(StoredTensors tensors, String prefix, int offset, List<Integer> blocks, int last) {
        private TensorView view() {
            return new TensorView(tensors, prefix);
        }

        int size(int layer, int axis) {
            return view().size(offset + layer + ".weight", axis);
        }

        void putInto(Map<String, Stored> stored, String name) {
            view().names().forEach(full -> {
                String[] parts = full.substring(prefix.length()).split("\\.", 2);
                if (parts.length == 2 && parts[0].chars().allMatch(Character::isDigit)) {
                    int layer = Integer.parseInt(parts[0]) - offset;
                    stored.put(name + ".layers." + layer + "." + parts[1], Stored.same(full));
                }
            });
        }
    }

    /**
     * Opens one as a checkpoint's VAE.
     *
     * @param contents a file that was recognised as such
     * @throws TomeException if its decoder is missing, or it is one of another family
     */
    static Checkpoint.Component open(Path path, FileContents contents) {
        Half decoder = half(contents.tensors(), DECODER)
                .orElseThrow(() -> TomeException.about(
                        "vae", path + " holds the encoder of a tiny VAE (TAESD) alone: name the file of its decoder."));
        int latents = decoder.size(0, 1);
        if (latents != LATENT_CHANNELS) {
            throw TomeException.about(
                    "vae",
                    "The tiny VAE (TAESD) in " + path + " has " + latents + " latent channels: "
                            + (latents == 16 ? "it belongs to Stable Diffusion 3 or Flux. " : "")
                            + "Models of Stable Diffusion 1, 2 and XL need one of " + LATENT_CHANNELS + ".");
        }
        Optional<Half> encoder = half(contents.tensors(), ENCODER).or(() -> besides(path));
        Map<String, Stored> ofDecoder = new LinkedHashMap<>();
        decoder.putInto(ofDecoder, DECODER);
        StoredTensors tensors = new ConvertedTensors(contents.tensors(), ofDecoder);
        if (encoder.isPresent()) {
            Map<String, Stored> ofEncoder = new LinkedHashMap<>();
            encoder.get().putInto(ofEncoder, ENCODER);
            tensors = new JoinedTensors(
                    tensors, new ConvertedTensors(encoder.get().tensors(), ofEncoder));
        }
        Supplier<Config> config = () -> config(decoder, encoder).build(path + " (told by its tensors)");
        return new FilePart("vae", path.toString(), config, Optional.of(tensors));
    }

    private static ConfigBuilder config(Half decoder, Optional<Half> encoder) {
        int width = decoder.size(0, 0);
        List<Integer> widths = Collections.nCopies(decoder.blocks().size(), width);
        return new ConfigBuilder()
                .put("_class_name", Autoencoder.TINY)
                .put("in_channels", encoder.map(half -> half.size(0, 1)).orElse(3))
                .put("out_channels", decoder.size(decoder.last(), 0))
                .put("latent_channels", decoder.size(0, 1))
                .put("encoder_block_out_channels", widths)
                .put("decoder_block_out_channels", widths)
                .put("num_encoder_blocks", encoder.map(Half::blocks).orElse(Collections.nCopies(widths.size(), 1)))
                .put("num_decoder_blocks", decoder.blocks());
    }

    /**
     * Checks that a file's or folder's name does not say that it is for other models: its tensors do not tell.
     *
     * @param latentScale of the model's own VAE, which tells what it is one of
     * @throws TomeException if it does
     */
    static void requireFamily(Path path, double latentScale) {
        boolean xl = latentScale == Kind.SDXL.latentScale();
        if (!xl && latentScale != Kind.SD1.latentScale()) {
            return;
        }
        Matcher name =
                NAME.matcher(String.valueOf(path.toAbsolutePath().normalize().getFileName()));
        if (name.matches() && xl != "xl".equals(name.group(1))) {
            String of = name.group(1) == null
                    ? "Stable Diffusion 1 and 2"
                    : name.group(1).equals("xl") ? "Stable Diffusion XL" : "Stable Diffusion 3";
            throw TomeException.about(
                    "vae",
                    path + " is by its name a tiny VAE (TAESD) for " + of
                            + ", and the model is one of Stable Diffusion "
                            + (xl ? "XL, whose is called taesdxl." : "1 or 2, whose is called taesd."));
        }
    }

    /** The encoder's file beside that of a decoder. */
    private static Optional<Half> besides(Path path) {
        String name = String.valueOf(path.getFileName());
        Path other = path.resolveSibling(name.replace(DECODER, ENCODER));
        return name.contains(DECODER) && Files.exists(other)
                ? half(FileContents.of(other).tensors(), ENCODER)
                : Optional.empty();
    }

    private static Optional<Half> half(StoredTensors tensors, String which) {
        for (String pattern : PREFIXES) {
            String prefix = pattern.replace("%s", which);
            TensorView view = new TensorView(tensors, prefix);
            int offset = view.has("0.weight") ? 0 : 1;
            // An encoder takes in colours; bare numbers do not say which half they are of.
            boolean fits = view.has(offset + ".weight")
                    && (!prefix.isEmpty() || (view.size(offset + ".weight", 1) == 3) == which.equals(ENCODER));
            if (fits) {
                return Optional.of(walked(tensors, prefix, offset, which.equals(DECODER)));
            }
        }
        return Optional.empty();
    }

    /** Goes over the layers: blocks of a level end with a convolution, which has a bias where it is the last. */
    private static Half walked(StoredTensors tensors, String prefix, int offset, boolean decodes) {
        TensorView view = new TensorView(tensors, prefix);
        List<Integer> blocks = new ArrayList<>();
        int layer = decodes ? 2 : 1; // after the first convolution and, decoding, its activation
        while (true) {
            int count = 0;
            while (view.has(offset + layer + ".conv.0.weight")) {
                layer++;
                count++;
            }
            blocks.add(count);
            if (view.has(offset + layer + ".bias")) {
                return new Half(tensors, prefix, offset, blocks, layer);
            }
            layer += decodes ? 2 : 1; // before the convolution of a decoder it is enlarged
            String convolution = prefix + (offset + layer - 1) + ".weight";
            if (!tensors.has(convolution)) {
                throw TomeException.about(
                        "vae",
                        "The tensor '" + convolution + "' is missing from " + tensors.origin(convolution)
                                + ": the tiny VAE (TAESD) is incomplete.");
            }
        }
    }
}
