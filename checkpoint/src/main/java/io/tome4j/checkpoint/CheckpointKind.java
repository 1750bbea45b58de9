package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A kind of checkpoint that a caller can use, and which of its files are needed. Paths are those of a folder as diffusers
 * saves it, with slashes.
 *
 * <p>As with {@code from_pretrained} of diffusers' pipeline classes, the class that a checkpoint was saved from does not
 * decide: a pipeline of another class is of this kind, too, if it has the same parts.
 *
 * @param name what users call it, such as {@code Stable Diffusion 1.x and 2.x}
 * @param pipelines the diffusers classes that {@code model_index.json} usually names, at least one
 * @param parts the parts that {@code model_index.json} must name, with the classes that each may be of; no classes where
 *     any may be
 * @param configs JSON files without which there is no such checkpoint, such as {@code unet/config.json}
 * @param tokenizers folders of tokenizers
 * @param weights folders with weights, such as {@code unet}
 * @param check throws a {@link TomeException} if a folder's configs say that it cannot be used; it is asked before weights
 *     are downloaded or read, and files may be missing
 */
public record CheckpointKind(
        String name,
        List<String> pipelines,
        Map<String, Set<String>> parts,
        List<String> configs,
        List<String> tokenizers,
        List<String> weights,
        Consumer<Path> check) {
    /** Parts that text to image with the others does without. */
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("adapter", "controlnet", "feature_extractor", "image_encoder", "safety_checker");

    public CheckpointKind {
        pipelines = List.copyOf(pipelines);
        parts = new TreeMap<>(parts);
        configs = List.copyOf(configs);
        tokenizers = List.copyOf(tokenizers);
        weights = List.copyOf(weights);
        if (pipelines.isEmpty()) {
            throw new IllegalArgumentException("No pipeline is " + name);
        }
    }

    /** The same kind for whoever has the weights of some parts already. */
    public CheckpointKind withoutWeightsOf(Collection<String> there) {
        List<String> others =
                weights.stream().filter(part -> !there.contains(part)).toList();
        return new CheckpointKind(name, pipelines, parts, configs, tokenizers, others, check);
    }

    /** Whether a checkpoint is of this kind. */
    public boolean includes(ModelIndex index) {
        return misfit(index).isEmpty() && (pipelines.contains(index.pipelineClass()) || hasNoOtherParts(index));
    }

    private boolean hasNoOtherParts(ModelIndex index) {
        return !parts.isEmpty()
                && index.components().keySet().stream()
                        .allMatch(part -> parts.containsKey(part) || WITHOUT_EFFECT.contains(part));
    }

    /** What is wrong with a checkpoint's parts, as the end of a sentence; empty if nothing is. */
    private String misfit(ModelIndex index) {
        for (var part : parts.entrySet()) {
            String actual = index.components().get(part.getKey());
            if (actual == null) {
                return "no " + part.getKey();
            }
            if (!part.getValue().isEmpty() && !part.getValue().contains(actual)) {
                return "a " + actual + " as its " + part.getKey() + ", where " + String.join(" or ", part.getValue())
                        + " is supported";
            }
        }
        return "";
    }

    /**
     * The one among some kinds that a checkpoint is of.
     *
     * @param origin the checkpoint, for the message
     * @throws TomeException if it is of none, naming its class or the part that does not fit
     */
    static CheckpointKind of(ModelIndex index, List<CheckpointKind> kinds, String origin) {
        return kinds.stream().filter(kind -> kind.includes(index)).findFirst().orElseThrow(() -> kinds.stream()
                .filter(kind -> kind.pipelines().contains(index.pipelineClass()))
                .findFirst()
                .map(kind -> new TomeException("The checkpoint " + origin + " cannot be used: its " + ModelIndex.FILE
                        + " names " + kind.misfit(index) + "."))
                .orElseGet(() -> unsupported(index, kinds, origin)));
    }

    private static TomeException unsupported(ModelIndex index, List<CheckpointKind> kinds, String origin) {
        List<String> supported = kinds.stream()
                .map(kind -> kind.name() + " (" + String.join(", ", kind.pipelines()) + ")")
                .toList();
        return new TomeException("The checkpoint " + origin + " is a " + index.pipelineClass()
                + ", which tome4j does not support. Supported: " + String.join("; ", supported) + ".");
    }
}
