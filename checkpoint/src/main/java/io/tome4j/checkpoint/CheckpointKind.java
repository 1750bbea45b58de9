package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.util.List;

/**
 * A kind of checkpoint that a caller can use, and which of its files are needed. Paths are those of a folder as diffusers
 * saves it, with slashes.
 *
 * @param name what users call it, such as {@code Stable Diffusion 1.x and 2.x}
 * @param pipelines the diffusers classes that {@code model_index.json} may name, at least one
 * @param configs JSON files without which there is no such checkpoint, such as {@code unet/config.json}
 * @param tokenizers folders of tokenizers
 * @param weights folders with weights, such as {@code unet}
 */
public record CheckpointKind(
        String name, List<String> pipelines, List<String> configs, List<String> tokenizers, List<String> weights) {
    public CheckpointKind {
        pipelines = List.copyOf(pipelines);
        configs = List.copyOf(configs);
        tokenizers = List.copyOf(tokenizers);
        weights = List.copyOf(weights);
        if (pipelines.isEmpty()) {
            throw new IllegalArgumentException("No pipeline is " + name);
        }
    }

    /** Whether a checkpoint is of this kind. */
    public boolean includes(ModelIndex index) {
        return pipelines.contains(index.pipelineClass());
    }

    /**
     * The one among some kinds that a checkpoint is of.
     *
     * @param origin the checkpoint, for the message
     * @throws TomeException if it is of none, naming its class
     */
    static CheckpointKind of(ModelIndex index, List<CheckpointKind> kinds, String origin) {
        return kinds.stream().filter(kind -> kind.includes(index)).findFirst().orElseThrow(() -> {
            List<String> supported = kinds.stream()
                    .map(kind -> kind.name() + " (" + String.join(", ", kind.pipelines()) + ")")
                    .toList();
            return new TomeException("The checkpoint " + origin + " is a " + index.pipelineClass()
                    + ", which tome4j does not support. Supported: " + String.join("; ", supported) + ".");
        });
    }
}
