package io.tome4j.checkpoint.lora;

import io.tome4j.tensor.StoredTensors;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A component of a model, to whose weights LoRAs may be added.
 *
 * @param component {@code unet}, {@code text_encoder} or {@code text_encoder_2}
 * @param tensors its weights, under the names that the model asks for
 * @param ldmNames for modules that the older programs called otherwise (LDM), that name by diffusers'
 */
public record LoraTarget(String component, StoredTensors tensors, Map<String, String> ldmNames) {
    private static final String WEIGHT = ".weight";
    private static final String UNET = "unet";

    public LoraTarget {
        ldmNames = Map.copyOf(ldmNames);
    }

    boolean isText() {
        return !component.equals(UNET);
    }

    /** Which text encoder it is, from 1. */
    int number() {
        return component.endsWith("_2") ? 2 : 1;
    }

    /** All modules with a weight. */
    Set<String> modules() {
        Set<String> modules = new TreeSet<>();
        for (String name : tensors.names()) {
            if (name.endsWith(WEIGHT)) {
                modules.add(name.substring(0, name.length() - WEIGHT.length()));
            }
        }
        return modules;
    }
}
