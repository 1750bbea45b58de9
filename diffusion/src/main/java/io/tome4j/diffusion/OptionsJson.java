package io.tome4j.diffusion;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import java.math.BigInteger;
import java.util.List;

/** Options as JSON: each by its name, in the order of its table. */
public final class OptionsJson {
    private OptionsJson() {}

    /** All options of merging; of no merging, too. */
    public static ObjectNode of(ToMeOptions options) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        put(json, options);
        return json;
    }

    /** Adds all options of merging. */
    public static void put(ObjectNode json, ToMeOptions options) {
        ToMeOptions.OPTIONS.forEach(option -> put(json, option, options));
    }

    private static <T> void put(ObjectNode json, Option<T> option, ToMeOptions options) {
        put(json, option, options.get(option));
    }

    /** Some options of a request. */
    public static ObjectNode of(Request request, List<Option<?>> options) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        options.forEach(option -> put(json, option, request));
        return json;
    }

    /** Adds all options of a request but prompts, merging and start. */
    public static void put(ObjectNode json, Request request) {
        Request.OPTIONS.forEach(option -> put(json, option, request));
    }

    private static <T> void put(ObjectNode json, Option<T> option, Request request) {
        put(json, option, request.get(option));
    }

    private static <T> void put(ObjectNode json, Option<T> option, T value) {
        if (value instanceof Boolean flag) {
            json.put(option.name(), flag);
        } else if (value instanceof Integer number) {
            json.put(option.name(), number);
        } else if (value instanceof Long) {
            json.put(option.name(), new BigInteger(option.format(value)));
        } else if (value instanceof Double number) {
            json.put(option.name(), number);
        } else {
            json.put(option.name(), option.format(value));
        }
    }
}
