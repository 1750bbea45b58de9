package io.tome4j.models.singlefile;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.Config;

/** A config that no file holds: it is told from a model's tensors. */
final class ConfigBuilder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode values = JSON.createObjectNode();

    /** @param value a string, number, boolean or list */
    ConfigBuilder put(String key, Object value) {
        values.set(key, JSON.valueToTree(value));
        return this;
    }

    ConfigBuilder putNull(String key) {
        values.putNull(key);
        return this;
    }

    /** @param origin where it was told from, for messages */
    Config build(String origin) {
        return Config.parse(values.toString(), origin);
    }
}
