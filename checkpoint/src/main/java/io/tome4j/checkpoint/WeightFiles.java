package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How diffusers and transformers name the weights of a component: {@code diffusion_pytorch_model.safetensors} or
 * {@code model.safetensors}; with a variant {@code model.fp16.safetensors}; in shards, listed by
 * {@code model.safetensors.index.json}, {@code model.safetensors.index.fp16.json} or, of old,
 * {@code model.safetensors.fp16.index.json}.
 *
 * @param file the safetensors file, or the index of its shards
 */
record WeightFiles(String file, boolean sharded) {
    private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model");
    private static final Pattern ANY = Pattern.compile("(?:diffusion_pytorch_model|model)(?:"
            + "(?:\\.([^.]+))?\\.safetensors"
            + "|\\.safetensors\\.index(?:\\.([^.]+))?\\.json"
            + "|\\.safetensors\\.([^.]+)\\.index\\.json)");
    private static final Pattern SHARD = Pattern.compile(".*-\\d{5}-of-\\d{5}");
    private static final Pattern PICKLE = Pattern.compile(".*\\.(bin|ckpt|pt|pth)");

    /**
     * Chooses among the names of the files in a component's folder.
     *
     * @param variant such as {@code fp16}, or empty for the files without one
     * @param plainWillDo whether those without a variant are taken where there are none of it: as in diffusers, where
     *     another component of the same pipeline has the variant
     * @param where the folder, for messages
     * @throws TomeException if there are no such weights, saying what there is instead
     */
    static WeightFiles choose(Collection<String> names, String variant, boolean plainWillDo, String where) {
        return find(names, variant)
                .or(() -> plainWillDo ? find(names, "") : Optional.empty())
                .orElseThrow(() -> missing(names, variant, where));
    }

    /** The weights of just this variant, if there are any. */
    static Optional<WeightFiles> find(Collection<String> names, String variant) {
        String dotted = variant.isEmpty() ? "" : "." + variant;
        for (String stem : STEMS) {
            if (names.contains(stem + dotted + ".safetensors")) {
                return Optional.of(new WeightFiles(stem + dotted + ".safetensors", false));
            }
            String index = stem + ".safetensors.index" + dotted + ".json";
            String oldIndex = stem + ".safetensors" + dotted + ".index.json";
            for (String candidate : List.of(index, oldIndex)) {
                if (names.contains(candidate)) {
                    return Optional.of(new WeightFiles(candidate, true));
                }
            }
        }
        return Optional.empty();
    }

    /** The variants of which there are weights; the empty string stands for weights without a variant. */
    static Set<String> variants(Collection<String> names) {
        Set<String> variants = new TreeSet<>();
        for (String name : names) {
            Matcher matcher = ANY.matcher(name);
            if (matcher.matches()) {
                String variant = "";
                for (int group = 1; group <= matcher.groupCount(); group++) {
                    variant = matcher.group(group) == null ? variant : matcher.group(group);
                }
                if (!SHARD.matcher(variant).matches()) {
                    variants.add(variant);
                }
            }
        }
        return variants;
    }

    private static TomeException missing(Collection<String> names, String variant, String where) {
        Set<String> variants = variants(names);
        if (!variants.isEmpty()) {
            String there = String.join(
                    ", ",
                    variants.stream()
                            .map(v -> v.isEmpty() ? "weights without a variant" : "the variant '" + v + "'")
                            .toList());
            return TomeException.about(
                    "variant",
                    "There are no weights "
                            + (variant.isEmpty() ? "without a variant" : "of the variant '" + variant + "'")
                            + " in " + where + ". There: " + there + ". "
                            + (variants.contains("")
                                    ? "Leave the variant out."
                                    : "Ask for the variant '"
                                            + variants.iterator().next() + "'."));
        }
        List<String> pickles =
                names.stream().filter(n -> PICKLE.matcher(n).matches()).sorted().toList();
        if (!pickles.isEmpty()) {
            return new TomeException("There are only pickle files in " + where + " (" + String.join(", ", pickles)
                    + "), and tome4j reads no pickle files, because reading one can run any program. Convert them with"
                    + " Python: load the model with diffusers and save it with"
                    + " save_pretrained(folder, safe_serialization=True).");
        }
        return new TomeException("There are no weights in " + where
                + ": neither diffusion_pytorch_model.safetensors nor model.safetensors. There: "
                + (names.isEmpty() ? "nothing" : String.join(", ", new TreeSet<>(names))) + ".");
    }
}
