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
 */
public record ModelIndex(String pipelineClass, Map<String, String> components) {
    static final String FILE = "model_index.json";

    public ModelIndex {
        components = Collections.unmodifiableMap(new TreeMap<>(components));
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
        for (var property : json.properties()) {
            // a component is [library, class]; anything else is a setting
            JsonNode value = property.getValue();
            if (value.isArray() && value.size() == 2 && value.get(1).isTextual()) {
                components.put(property.getKey(), value.get(1).textValue());
            }
        }
        return new ModelIndex(name.textValue(), components);
    }
}
