package io.tome4j.checkpoint.lora;

import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A file of low-rank or other small changes to a model's weights: LoRA, LoHa, LoKr, DoRA, IA3 and whole differences, as
 * kohya's scripts, LyCORIS, PEFT and diffusers write them. Opening it reads the header alone, as
 * {@link SafetensorsFile#open}.
 */
public final class LoraFile {
    /** Where web UIs put textual inversions that were trained along. */
    public static final String BUNDLED_EMBEDDING = "bundle_emb.";

    private final SafetensorsFile file;
    private final Map<String, LoraModule> modules = new LinkedHashMap<>(); // by the name in the file
    private final List<String> unknown = new ArrayList<>();
    private final List<String> embeddings = new ArrayList<>();

    private LoraFile(SafetensorsFile file) {
        this.file = file;
        Map<String, String> rest = new TreeMap<>();
        for (String key : file.names()) {
            LoraKey.otherKind(key).ifPresent(kind -> {
                throw new TomeException("The file " + file.path() + " is a " + kind + " (it has '" + key
                        + "'), and tome4j adds LoRA, LoHa, LoKr, DoRA, IA3 and whole differences alone.");
            });
            if (key.startsWith(BUNDLED_EMBEDDING)) {
                embeddings.add(key);
                continue;
            }
            Optional<LoraKey> cut = LoraKey.of(key);
            cut.ifPresentOrElse(known -> module(known.module()).put(known.part(), key), () -> rest.put(key, key));
        }
        scales(rest);
        unknown.addAll(rest.keySet());
        modules.values().removeIf(module -> {
            boolean changesNothing = module.isNumbersAlone();
            if (changesNothing) {
                unknown.addAll(module.keys());
            }
            return changesNothing;
        });
        LoraMetadata.putAlphas(file.metadata(), modules.values());
        requireSomething();
    }

    /** IA3's scales are called as any weight is: the mark beside them tells them. */
    private void scales(Map<String, String> rest) {
        for (LoraModule module : modules.values()) {
            String weight = rest.remove(module.has(LoraPart.IA3_ON_INPUT) ? module.spelled() + ".weight" : "");
            if (weight != null) {
                module.put(LoraPart.IA3, weight);
            }
        }
    }

    private LoraModule module(String spelled) {
        return modules.computeIfAbsent(spelled, name -> new LoraModule(file, name));
    }

    private void requireSomething() {
        if (modules.isEmpty() && embeddings.isEmpty()) {
            throw new TomeException("The file " + file.path() + " is no LoRA: none of its tensors is called as a LoRA's"
                    + " are"
                    + (unknown.isEmpty() ? " (it has none)" : " (the first is '" + unknown.get(0) + "')")
                    + ". A LoRA's are called such as lora_unet_..., unet....lora_A.weight, ....hada_w1_a.");
        }
    }

    /**
     * Opens a file.
     *
     * @throws TomeException if it is missing, damaged, no safetensors file, no LoRA, or one of a kind that is not supported
     */
    public static LoraFile open(Path path) {
        return new LoraFile(SafetensorsFile.open(path));
    }

    public Path path() {
        return file.path();
    }

    /** The file below. */
    public SafetensorsFile tensors() {
        return file;
    }

    /** Names of tensors that are a textual inversion's: {@code bundle_emb.NAME.string_to_param.*}. */
    public List<String> embeddings() {
        return Collections.unmodifiableList(embeddings);
    }

    /** What it holds for modules, in the file's order. */
    Collection<LoraModule> modules() {
        return modules.values();
    }

    /** Tensors that are called in no known way. */
    List<String> unknown() {
        return Collections.unmodifiableList(unknown);
    }

    /** The first 12 hexadecimal digits by which A1111's web UI knows the file: see {@link PayloadHash}. */
    public String hash() {
        return PayloadHash.of(file.path()).substring(0, 12);
    }
}
