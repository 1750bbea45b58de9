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
import java.util.function.Consumer;

/**
 * Which of a repository's files make a model.
 *
 * @param configs those without which there is no model
 * @param tokenizers what the names of each tokenizer's files begin with: {@code tokenizer/}, or nothing
 * @param withWeights what the names of weights begin with: {@code unet/}, or nothing
 * @param check asked of the folder when all but the weights is there
 */
record ModelFiles(List<String> configs, List<String> tokenizers, List<String> withWeights, Consumer<Path> check) {
    /** Of a pipeline as diffusers saves it. */
    static ModelFiles of(CheckpointKind kind) {
        return new ModelFiles(kind.configs(), prefixes(kind.tokenizers()), prefixes(kind.weights()), kind.check());
    }

    /** Of a model with a tokenizer as transformers saves it, all in one folder. */
    static ModelFiles alone(List<String> configs) {
        return new ModelFiles(configs, List.of(""), List.of(""), folder -> {});
    }

    /** Of a network as diffusers saves it, alone in a folder. */
    static ModelFiles network() {
        return new ModelFiles(List.of("config.json"), List.of(), List.of(""), folder -> {});
    }

    private static List<String> prefixes(List<String> folders) {
        return folders.stream().map(folder -> folder + "/").toList();
    }

    /** Those of a repository's files that are wanted, but for the weights. */
    Set<String> small(Collection<String> names) {
        Set<String> files = new LinkedHashSet<>(configs);
        for (String tokenizer : tokenizers) {
            files.addAll(vocabulary(tokenizer));
            for (String file : List.of(
                    "tokenizer.json", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json")) {
                files.add(tokenizer + file);
            }
        }
        files.retainAll(Set.copyOf(names));
        return files;
    }

    /** What is missing, among those of the small files without which there is no model. */
    List<String> missing(Collection<String> names) {
        List<String> missing = new ArrayList<>(configs);
        for (String tokenizer : tokenizers) {
            if (!names.contains(tokenizer + "tokenizer.json")) { // in place of the vocabulary, or beside it
                missing.addAll(vocabulary(tokenizer));
            }
        }
        missing.removeAll(names);
        return missing;
    }

    private static List<String> vocabulary(String tokenizer) {
        return List.of(tokenizer + "vocab.json", tokenizer + "merges.txt");
    }

    /**
     * Checks that a folder has all of the model.
     *
     * @throws TomeException naming what it lacks
     */
    void requireComplete(Path folder, String variant) {
        List<String> names = new ArrayList<>(configs);
        for (String tokenizer : tokenizers) {
            names.addAll(vocabulary(tokenizer));
            names.add(tokenizer + "tokenizer.json");
        }
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
