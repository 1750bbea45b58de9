package io.tome4j.checkpoint;

import io.tome4j.checkpoint.CheckpointFolder.Component;
import io.tome4j.tensor.TomeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Which of a repository's files make a model of some kind.
 *
 * @param index the file that says what the model is
 * @param kind what a model without that file is not: {@code a diffusers checkpoint}
 * @param pipelines the pipelines that will do; none for a model that is no pipeline
 * @param configs those without which there is no model
 * @param tokenizer what the names of the tokenizer's files begin with: {@code tokenizer/}, or nothing
 * @param withWeights what the names of weights begin with: {@code unet/}, or nothing
 */
record ModelFiles(
        String index,
        String kind,
        List<String> pipelines,
        List<String> configs,
        String tokenizer,
        List<String> withWeights) {
    /** A Stable Diffusion pipeline as diffusers saves it. */
    static final ModelFiles PIPELINE = new ModelFiles(
            ModelIndex.FILE,
            "a diffusers checkpoint",
            List.of(CheckpointSource.SUPPORTED_PIPELINES),
            List.of(
                    "scheduler/scheduler_config.json",
                    "text_encoder/config.json",
                    "unet/config.json",
                    "vae/config.json"),
            "tokenizer/",
            List.of("text_encoder/", "unet/", "vae/"));

    /** A model with a tokenizer as transformers saves it, all in one folder. */
    static ModelFiles alone(List<String> configs) {
        return new ModelFiles("config.json", "a transformers model", List.of(), configs, "", List.of(""));
    }

    /**
     * Checks what the index says.
     *
     * @param file the index, on the disk
     * @param shown the model, for the message
     */
    void requireKind(Path file, String shown) {
        if (!pipelines.isEmpty()) {
            ModelIndex.read(file).requireClass(shown, pipelines.toArray(String[]::new));
        }
    }

    /** Those of a repository's files that are wanted, but for the weights. */
    Set<String> small(Collection<String> names) {
        Set<String> files = new LinkedHashSet<>(configs);
        files.addAll(vocabulary());
        for (String file :
                List.of("tokenizer.json", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json")) {
            files.add(tokenizer + file);
        }
        files.retainAll(Set.copyOf(names));
        return files;
    }

    /** What is missing, among those of the small files without which there is no model. */
    List<String> missing(Collection<String> names) {
        List<String> missing = new ArrayList<>(configs);
        if (!names.contains(tokenizer + "tokenizer.json")) { // in place of the vocabulary, or beside it
            missing.addAll(vocabulary());
        }
        missing.removeAll(names);
        return missing;
    }

    private List<String> vocabulary() {
        return List.of(tokenizer + "vocab.json", tokenizer + "merges.txt");
    }

    /**
     * Checks that a folder has all of the model.
     *
     * @throws TomeException naming what it lacks
     */
    void requireComplete(Path folder, String variant, String shown) {
        requireKind(folder.resolve(index), shown);
        List<String> names = new ArrayList<>(configs);
        names.addAll(vocabulary());
        names.add(tokenizer + "tokenizer.json");
        names.removeIf(name -> !Files.exists(folder.resolve(name)));
        for (String file : missing(names)) {
            part(folder, file.substring(0, file.lastIndexOf('/') + 1), variant)
                    .file(file.substring(file.lastIndexOf('/') + 1));
        }
        withWeights.forEach(prefix -> part(folder, prefix, variant).weights());
    }

    private static Component part(Path folder, String prefix, String variant) {
        return prefix.isEmpty()
                ? Component.alone(folder, variant)
                : CheckpointFolder.open(folder, variant).component(prefix.substring(0, prefix.length() - 1));
    }
}
