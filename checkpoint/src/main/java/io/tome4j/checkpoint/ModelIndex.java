package io.tome4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@code model_index.json} says of a pipeline.
 *
 * @param pipelineClass the diffusers class that the checkpoint was saved from, such as {@code StableDiffusionPipeline}
 * @param components the class of each component ({@code unet} to {@code UNet2DConditionModel}); those that the pipeline
 *     could have and has not are left out
 * @param flags what else it says that is true or false, such as {@code force_zeros_for_empty_prompt}
 */
public record ModelIndex(String pipelineClass, Map<String, String> components, Map<String, Boolean> flags) {
    static final String FILE = "model_index.json";

    public ModelIndex {
        components = Collections.unmodifiableMap(new TreeMap<>(components));
        flags = Collections.unmodifiableMap(new TreeMap<>(flags));
    }

    /** An index that says nothing but the components. */
    public ModelIndex(String pipelineClass, Map<String, String> components) {
        this(pipelineClass, components, Map.of());
    }

    /**
     * What it says of a setting.
     *
     * @param absent what holds if it says nothing
     */
    public boolean flag(String name, boolean absent) {
        return flags.getOrDefault(name, absent);
    }

    /**
     * Reads a {@code model_index.json}.
     *
     * @throws TomeException if it cannot be read or is not one
     */
    public static ModelIndex read(Path file) {
        ObjectNode json = JsonFile.object(file);
        JsonNode name = json.path("_class_name");
        if (!name.isTextual()) {
            throw new TomeException(file + " names no pipeline class ('_class_name').");
        }
        Map<String, String> components = new TreeMap<>();
        Map<String, Boolean> flags = new TreeMap<>();
        for (var property : json.properties()) {
            // a component is [library, class]; anything else is a setting
            JsonNode value = property.getValue();
            if (value.isArray() && value.size() == 2 && value.get(1).isTextual()) {
                components.put(property.getKey(), value.get(1).textValue());
            } else if (value.isBoolean()) {
                flags.put(property.getKey(), value.booleanValue());
            }
        }
        return new ModelIndex(name.textValue(), components, flags);
    }
}
