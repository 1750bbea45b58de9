package io.tome4j.diffusion;

import io.tome4j.checkpoint.lora.LoraChange;
import io.tome4j.checkpoint.lora.LoraFile;
import io.tome4j.checkpoint.lora.LoraMatch;
import io.tome4j.checkpoint.lora.LoraTarget;
import io.tome4j.checkpoint.lora.LoraWeights;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The components of a model to which LoRAs may be added, and those that are added now. Where a request wants others, just
 * the tensors that these or those change are loaded again, and added to; all else of the model stays as it is, what it is
 * patched with included.
 */
final class Adapters {
    private static final int KEPT = 32; // files of which is known where they fit: a few hundred KB each

    private final List<Part> parts = new ArrayList<>();
    private final Map<Version, Known> known = new LinkedHashMap<>();
    private List<Lora> added = List.of();

    private record Part(LoraTarget target, LoraWeights source, Weights weights) {}

    /** A file as it was at a time. */
    private record Version(Path path, long bytes, FileTime modified) {}

    private record Known(LoraMatch match, String hash) {}

    /**
     * What came of it.
     *
     * @param loras with the hashes of their files
     * @param warnings what of them has no effect
     */
    record Added(List<Lora> loras, List<String> warnings) {}

    /**
     * The weights of a component, from which its model is to be built.
     *
     * @param component {@code unet}, {@code text_encoder} or {@code text_encoder_2}
     * @param ldmNames for modules that the older programs called otherwise (LDM), that name by diffusers'
     */
    Weights open(String component, StoredTensors tensors, Map<String, String> ldmNames, Placement placement) {
        LoraWeights source = new LoraWeights(tensors);
        Weights weights = Weights.of(source, placement);
        parts.add(new Part(new LoraTarget(component, tensors, ldmNames), source, weights));
        return weights;
    }

    /** What the model has now. */
    List<Lora> added() {
        return added;
    }

    /**
     * Adds these and no others; no model may run meanwhile. Nothing changes if a file cannot be used. Before the models are
     * built of the weights, nothing is loaded for it: they are built of the sums.
     *
     * @throws OptionException if a LoRA has no file
     * @throws TomeException if a file cannot be read, is no LoRA, or is for another model; or if the model's own files
     *     cannot be read any more
     */
    Added add(List<Lora> loras) {
        List<Lora> hashed = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        Map<Part, Map<String, List<LoraChange>>> changes = new HashMap<>();
        for (Lora lora : loras) {
            Known file = open(lora);
            hashed.add(lora.hash(file.hash()));
            warn(lora, file.match(), warnings);
            for (Part part : parts) {
                file.match()
                        .addTo(
                                changes.computeIfAbsent(part, key -> new HashMap<>()),
                                part.target().component(),
                                part.target().component().equals("unet") ? lora.weight() : lora.textWeight());
            }
        }
        for (Part part : parts) {
            Set<String> others = part.source().change(changes.getOrDefault(part, Map.of()));
            part.weights().takeAnew(others);
            part.source().taken();
        }
        added = List.copyOf(loras);
        return new Added(List.copyOf(hashed), List.copyOf(warnings));
    }

    /** As {@link #add}, before models are built of the weights; those that do not fit are left to who asks for them. */
    void addWhileLoading(List<Lora> loras) {
        add(loras.stream().filter(this::fits).toList());
    }

    /** Whether a LoRA can be read and fits the model, in part at least. */
    boolean fits(Lora lora) {
        try {
            open(lora);
            return true;
        } catch (TomeException e) {
            return false; // who adds it says why
        }
    }

    private Known open(Lora lora) {
        Path path = lora.file()
                .orElseThrow(() -> new OptionException("{lora} is '" + OptionException.literal(lora.name())
                        + "', which is a name alone: where its file lies must be said, too (lora_dir)"));
        Version version = version(path);
        Known before = known.remove(version);
        Known now = before == null ? read(path) : before;
        known.put(version, now); // the last one used is the last to be forgotten
        if (known.size() > KEPT) {
            known.remove(known.keySet().iterator().next());
        }
        return now;
    }

    private Known read(Path path) {
        LoraFile file = LoraFile.open(path);
        return new Known(LoraMatch.of(file, parts.stream().map(Part::target).toList()), file.hash());
    }

    private static Version version(Path path) {
        try {
            return new Version(path, Files.size(path), Files.getLastModifiedTime(path));
        } catch (IOException e) {
            throw new TomeException("The LoRA " + path + " does not exist, or cannot be read.", e);
        }
    }

    private static void warn(Lora lora, LoraMatch match, List<String> warnings) {
        List<String> leftOut = match.leftOut();
        if (!leftOut.isEmpty()) {
            warnings.add("The LoRA '" + lora.name() + "' fits the model in part: " + leftOut.size()
                    + (leftOut.size() == 1 ? " tensor has" : " tensors have") + " no place in it and no effect: "
                    + String.join(", ", leftOut));
        }
    }
}
