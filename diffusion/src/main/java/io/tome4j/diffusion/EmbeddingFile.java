package io.tome4j.diffusion;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.lora.LoraFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The vectors of a textual inversion in a file: A1111's ({@code emb_params}), diffusers' (one tensor of any name), the pair of
 * SDXL ({@code clip_l} and {@code clip_g}), or those that a LoRA brings.
 *
 * @param token what stands for it in plain prompts
 * @param name what stands for it in those of A1111's web UI
 * @param tensors names in the file by the encoder they are for: {@link #CLIP_L}, {@link #CLIP_G}, or {@link #ONLY}
 */
record EmbeddingFile(SafetensorsFile file, String token, String name, Map<String, String> tensors) {
    static final String CLIP_L = "clip_l";
    static final String CLIP_G = "clip_g";
    static final String ONLY = "";

    /** Of a model with the second encoder alone: its half of a pair, or the only tensor. */
    static final String CLIP_G_ALONE = "clip_g or the only tensor";

    private static final String A1111 = "emb_params";
    private static final String IN_LORA = ".string_to_param.";

    /** By the width of the vectors. */
    private static final Map<Long, String> FAMILIES = Map.of(
            768L, "Stable Diffusion 1.x",
            1024L, "Stable Diffusion 2.x",
            1280L, "the second text encoder of Stable Diffusion XL");

    EmbeddingFile {
        tensors = Map.copyOf(tensors);
    }

    /**
     * Opens a file: its header alone.
     *
     * @throws OptionException if it has none
     * @throws TomeException if it cannot be read, or is no textual inversion
     */
    static EmbeddingFile open(Embedding embedding) {
        Path path = embedding
                .file()
                .orElseThrow(() -> new OptionException("{embedding} is '" + OptionException.literal(embedding.name())
                        + "', which is a name alone: where its file lies must be said, too (embedding_dir)"));
        SafetensorsFile file = SafetensorsFile.open(path);
        Map<String, String> tensors = new LinkedHashMap<>();
        String token = embedding.name();
        if (file.names().contains(CLIP_L) || file.names().contains(CLIP_G)) {
            for (String part : List.of(CLIP_L, CLIP_G)) {
                if (!file.names().contains(part)) {
                    throw new TomeException("The textual inversion " + path + " has one of '" + CLIP_L + "' and '"
                            + CLIP_G + "' alone; Stable Diffusion XL needs both.");
                }
                tensors.put(part, part);
            }
        } else if (file.names().size() == 1) {
            String only = file.names().iterator().next();
            tensors.put(ONLY, only);
            token = only.equals(A1111) ? token : only;
        } else if (file.names().contains(A1111)) {
            tensors.put(ONLY, A1111);
        } else {
            throw new TomeException("The file " + path + " is no textual inversion: it has "
                    + file.names().size() + " tensors, and none is called '" + A1111 + "' or '" + CLIP_L + "'.");
        }
        boolean isGiven = !embedding.token().isEmpty();
        EmbeddingFile opened = new EmbeddingFile(
                file, isGiven ? embedding.token() : token, isGiven ? embedding.token() : embedding.name(), tensors);
        opened.requireVectors();
        return opened;
    }

    /** Those that a LoRA brings along. */
    static List<EmbeddingFile> bundled(LoraFile lora) {
        Map<String, Map<String, String>> byName = new LinkedHashMap<>();
        for (String key : lora.embeddings()) {
            String rest = key.substring(LoraFile.BUNDLED_EMBEDDING.length());
            int plain = rest.indexOf(IN_LORA);
            int dot = plain < 0 ? rest.lastIndexOf('.') : plain;
            if (dot > 0) {
                byName.computeIfAbsent(rest.substring(0, dot), name -> new LinkedHashMap<>())
                        .put(plain < 0 ? rest.substring(dot + 1) : ONLY, key);
            }
        }
        List<EmbeddingFile> files = new ArrayList<>();
        byName.forEach((name, tensors) -> {
            EmbeddingFile file = new EmbeddingFile(lora.tensors(), name, name, tensors);
            file.requireVectors();
            files.add(file);
        });
        return files;
    }

    private void requireVectors() {
        long count = -1;
        for (String tensor : tensors.values()) {
            long[] shape = file.shape(tensor);
            long vectors = shape.length == 1 ? 1 : shape.length == 2 ? shape[0] : 0;
            if (vectors == 0 || (count >= 0 && count != vectors)) {
                throw new TomeException("The tensor '" + tensor + "' in " + file.path() + " has the shape "
                        + Arrays.toString(shape) + ", where a textual inversion has [vectors, width]"
                        + (count >= 0 ? ", and as many vectors for both text encoders." : "."));
            }
            count = vectors;
        }
    }

    /** How many tokens it stands for. */
    int vectors() {
        long[] shape = file.shape(tensors.values().iterator().next());
        return shape.length == 1 ? 1 : (int) shape[0];
    }

    /**
     * Loads the vectors for a text encoder.
     *
     * @param part {@link #CLIP_L} or {@link #CLIP_G} where a model has both; {@link #ONLY} where it has one, or for a refiner
     *     {@link #CLIP_G_ALONE}
     * @param width of the encoder's embeddings
     * @return each {@code [width]}, in the open scope
     * @throws TomeException if they are for another family of models
     */
    List<Tensor> load(String part, long width) {
        String wanted = part.equals(CLIP_G_ALONE) ? (tensors.containsKey(CLIP_G) ? CLIP_G : ONLY) : part;
        String tensor = tensors.get(wanted);
        if (tensor == null || width(tensor) != width) {
            throw new TomeException("The textual inversion " + file.path() + " is for " + family() + ", and the model's"
                    + takes(part, width) + ". Take one that was trained for the model's family.");
        }
        try (var scope = TensorScope.open()) {
            Tensor all = file.load(tensor).reshape(-1, width);
            List<Tensor> vectors = new ArrayList<>();
            for (int i = 0; i < all.size(0); i++) {
                vectors.add(scope.release(Tensors.slice(all, 0, i, i + 1).reshape(width)));
            }
            return vectors;
        }
    }

    private static String takes(String part, long width) {
        if (part.equals(CLIP_L) || part.equals(CLIP_G)) {
            return " two text encoders (Stable Diffusion XL) take a pair, '" + CLIP_L + "' and '" + CLIP_G
                    + "', of which the " + (part.equals(CLIP_L) ? "first" : "second") + " has vectors of " + width;
        }
        return " text encoder takes vectors of " + width
                + Optional.ofNullable(FAMILIES.get(width))
                        .map(family -> " (" + family + ")")
                        .orElse("");
    }

    private String family() {
        if (tensors.containsKey(CLIP_L)) {
            return "Stable Diffusion XL (vectors of " + width(tensors.getOrDefault(CLIP_L, "")) + " and "
                    + width(tensors.getOrDefault(CLIP_G, "")) + ")";
        }
        long width = width(tensors.values().iterator().next());
        return FAMILIES.getOrDefault(width, "another model") + " (vectors of " + width + ")";
    }

    /** Of the vectors: one, or one for each of a model's text encoders. */
    List<Long> widths() {
        return tensors.values().stream().map(this::width).sorted().toList();
    }

    private long width(String tensor) {
        long[] shape = file.shape(tensor);
        return shape[shape.length - 1];
    }

    /** The first 12 digits by which web UIs know the file: SHA-256 of all of it. */
    String hash() {
        try (InputStream in = Files.newInputStream(file.path())) {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            new DigestInputStream(in, sha256).transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(sha256.digest()).substring(0, 12);
        } catch (IOException e) {
            throw new TomeException("The file " + file.path() + " cannot be read: " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }
}
