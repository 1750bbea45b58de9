package io.tome4j.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/**
 * What a caller can use, before it is known what there is.
 *
 * @param index the file that says what a model is
 * @param description what a model without that file is not: {@code a diffusers checkpoint}
 * @param files which files are needed, from the index on the disk and what to call the model in messages; throws a
 *     {@code TomeException} if the model will not do
 */
record WantedModel(String index, String description, BiFunction<Path, String, ModelFiles> files) {
    /** A pipeline as diffusers saves it, of one of some kinds. */
    static WantedModel pipeline(List<CheckpointKind> kinds) {
        return new WantedModel(
                ModelIndex.FILE,
                "a diffusers checkpoint",
                (index, shown) -> ModelFiles.of(CheckpointKind.of(ModelIndex.read(index), kinds, shown)));
    }

    /** A model with a tokenizer as transformers saves it, all in one folder. */
    static WantedModel alone(List<String> configs) {
        return new WantedModel("config.json", "a transformers model", (index, shown) -> ModelFiles.alone(configs));
    }

    /** A network as diffusers saves it, alone in a folder. */
    static WantedModel network() {
        return new WantedModel("config.json", "a network of diffusers", (index, shown) -> ModelFiles.network());
    }
}
