package io.tome4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A component's {@code config.json}, read strictly: a value of the wrong kind is an error that names file and key, and
 * so is, by {@link #requireAllRead}, a key that nobody knew. So no setting of a checkpoint is ever passed over.
 *
 * <p>A key that is absent and a key whose value is {@code null} are the same. Keys that begin with {@code _} are notes
 * of the program that wrote the file.
 */
public final class Config {
    /** What diffusers' {@code EMAModel} leaves in the config of the model that it averaged. */
    private static final String[] MOVING_AVERAGE = {
        "decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup"
    };

    private static final int MOST_SHOWN = 200;

    private final ObjectNode values;
    private final String origin;
    private final Set<String> read = new HashSet<>();

    private Config(ObjectNode values, String origin) {
        this.values = values;
        this.origin = origin;
    }

    /**
     * Reads a JSON file.
     *
     * @throws TomeException if it is missing, unreadable or not a JSON object
     */
    public static Config read(Path file) {
        return parse(JsonFile.text(file), file.toString());
    }

    /**
     * Parses JSON text.
     *
     * @param origin where the text comes from, for messages
     * @throws TomeException if it is not a JSON object
     */
    public static Config parse(String json, String origin) {
        return new Config(JsonFile.parse(json, origin), origin);
    }

    /** Where this config comes from. */
    public String origin() {
        return origin;
    }

    /** A copy, with nothing read yet, in which a key has another value (a string, number, boolean or list). */
    public Config with(String key, Object value) {
        ObjectNode copy = values.deepCopy();
        copy.set(key, JsonFile.JSON.valueToTree(value));
        return new Config(copy, origin);
    }

    /** A copy, with nothing read yet, that lacks a key. */
    public Config without(String key) {
        ObjectNode copy = values.deepCopy();
        copy.remove(key);
        return new Config(copy, origin);
    }

    /** Whether the key is there and its value is {@code null}: for the few that mean something by that. */
    public boolean isNull(String key) {
        read.add(key);
        return values.has(key) && values.get(key).isNull();
    }

    /** Whether the key is there with a value other than {@code null}. */
    public boolean has(String key) {
        read.add(key);
        return values.hasNonNull(key);
    }

    public String text(String key, String absent) {
        return has(key) ? text(key) : absent;
    }

    public String text(String key) {
        JsonNode value = required(key);
        if (!value.isTextual()) {
            throw wrongKind(key, "a string");
        }
        return value.textValue();
    }

    public int integer(String key, int absent) {
        return has(key) ? integer(key) : absent;
    }

    public int integer(String key) {
        JsonNode value = required(key);
        if (!value.canConvertToInt() || !value.isIntegralNumber()) {
            throw wrongKind(key, "an integer");
        }
        return value.intValue();
    }

    public double number(String key, double absent) {
        return has(key) ? number(key) : absent;
    }

    public double number(String key) {
        JsonNode value = required(key);
        if (!value.isNumber()) {
            throw wrongKind(key, "a number");
        }
        return value.doubleValue();
    }

    /** An integer that must be in a range, both ends included. */
    public int integer(String key, int absent, int least, int most) {
        int value = integer(key, absent);
        if (value < least || value > most) {
            throw unsupported(key, "an integer from " + least + " to " + most);
        }
        return value;
    }

    /** A number that must be finite and more than 0: what is added to a variance, say. */
    public double positive(String key, double absent) {
        double value = number(key, absent);
        if (!(value > 0) || Double.isInfinite(value)) {
            throw unsupported(key, "a number above 0");
        }
        return value;
    }

    /** A number that must be finite. */
    public double finite(String key, double absent) {
        double value = number(key, absent);
        if (!Double.isFinite(value)) {
            throw unsupported(key, "a finite number");
        }
        return value;
    }

    public boolean flag(String key, boolean absent) {
        if (!has(key)) {
            return absent;
        }
        JsonNode value = required(key);
        if (!value.isBoolean()) {
            throw wrongKind(key, "true or false");
        }
        return value.booleanValue();
    }

    public int[] integers(String key) {
        return elements(key, "a list of integers", element -> element.isIntegralNumber() && element.canConvertToInt())
                .stream()
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    /**
     * One integer for each of so many places: a list of them, or one for all.
     *
     * @throws TomeException if it is neither, or a list of another length
     */
    public List<Integer> integerOrEach(String key, int absent, int count) {
        if (!isList(key)) {
            return Collections.nCopies(count, integer(key, absent));
        }
        int[] list = integers(key);
        if (list.length != count) {
            throw unsupported(key, "an integer, or a list of " + count);
        }
        return Arrays.stream(list).boxed().toList();
    }

    /**
     * One flag for each of so many places: a list of them, or one for all.
     *
     * @throws TomeException if it is neither, or a list of another length
     */
    public List<Boolean> flagOrEach(String key, boolean absent, int count) {
        if (!isList(key)) {
            return Collections.nCopies(count, flag(key, absent));
        }
        List<JsonNode> list = elements(key, "true, false or a list of them", JsonNode::isBoolean);
        if (list.size() != count) {
            throw unsupported(key, "true or false, or a list of " + count);
        }
        return list.stream().map(JsonNode::booleanValue).toList();
    }

    public double[] numbers(String key) {
        return elements(key, "a list of numbers", JsonNode::isNumber).stream()
                .mapToDouble(JsonNode::doubleValue)
                .toArray();
    }

    public List<String> texts(String key) {
        return elements(key, "a list of strings", JsonNode::isTextual).stream()
                .map(JsonNode::textValue)
                .toList();
    }

    /** An object whose values are strings. */
    public Map<String, String> textMap(String key) {
        JsonNode value = required(key);
        Map<String, String> map = new LinkedHashMap<>();
        value.properties().forEach(field -> {
            if (!field.getValue().isTextual()) {
                throw wrongKind(key, "an object of strings");
            }
            map.put(field.getKey(), field.getValue().textValue());
        });
        if (!value.isObject()) {
            throw wrongKind(key, "an object of strings");
        }
        return map;
    }

    /** Whether the value is an object of settings of its own. */
    public boolean isObject(String key) {
        return has(key) && values.get(key).isObject();
    }

    /** An object of settings, with nothing read yet; {@link #requireAllRead} is asked of it apart. */
    public Config object(String key) {
        if (required(key) instanceof ObjectNode object) {
            return new Config(object, origin + ": " + key);
        }
        throw wrongKind(key, "an object");
    }

    /** Whether the value is a list (as {@code attention_head_dim} may be, or not). */
    public boolean isList(String key) {
        return has(key) && values.get(key).isArray();
    }

    /** The names of all keys, notes of the writing program included. */
    public Set<String> keys() {
        Set<String> keys = new TreeSet<>();
        values.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    /**
     * Requires of a setting that, if it is there, it has the one value that is supported.
     *
     * @param value the supported value, as JSON writes it ({@code false}, {@code "default"})
     * @throws TomeException naming file, key and value
     */
    public void only(String key, Object value) {
        if (has(key) && !values.get(key).equals(JsonFile.JSON.<JsonNode>valueToTree(value))) {
            JsonNode node = values.get(key);
            boolean sameNumber = node.isNumber() && value instanceof Number n && node.doubleValue() == n.doubleValue();
            if (!sameNumber) {
                throw unsupported(key, JsonFile.JSON.valueToTree(value).toString());
            }
        }
    }

    /**
     * Requires of settings that they are absent or {@code null}.
     *
     * @throws TomeException naming file, key and value of the first that is not
     */
    public void absent(String... keys) {
        for (String key : keys) {
            if (has(key)) {
                throw unsupported(key, "null");
            }
        }
    }

    /** Marks keys as known and without effect on what we compute. */
    public void ignore(String... keys) {
        read.addAll(Arrays.asList(keys));
    }

    /** Marks as known what training with a moving average of the weights leaves in a model's config. */
    public void ignoreMovingAverage() {
        ignore(MOVING_AVERAGE);
    }

    /**
     * Checks that every key was asked for or ignored.
     *
     * @throws TomeException naming those that were not
     */
    public void requireAllRead() {
        Set<String> unknown = keys();
        unknown.removeIf(key -> key.startsWith("_") || read.contains(key) || !values.hasNonNull(key));
        if (!unknown.isEmpty()) {
            List<String> shown = new ArrayList<>();
            unknown.forEach(key -> shown.add("'" + key + "': " + shown(key)));
            throw new TomeException("Unknown in " + origin + ": " + abbreviated(String.join(", ", shown))
                    + ". tome4j does not know what this setting means for the model, and will not guess.");
        }
    }

    /** An error for a setting whose value is not supported. */
    public TomeException unsupported(String key, String supported) {
        return new TomeException(
                "Unsupported in " + origin + ": '" + key + "' is " + shown(key) + "; supported: " + supported + ".");
    }

    private JsonNode required(String key) {
        if (!has(key)) {
            throw new TomeException("Missing in " + origin + ": '" + key + "'.");
        }
        return values.get(key);
    }

    private interface Check {
        boolean test(JsonNode node);
    }

    private List<JsonNode> elements(String key, String kind, Check check) {
        JsonNode value = required(key);
        List<JsonNode> elements = new ArrayList<>();
        if (!value.isArray()) {
            throw wrongKind(key, kind);
        }
        for (JsonNode element : value) {
            if (!check.test(element)) {
                throw wrongKind(key, kind);
            }
            elements.add(element);
        }
        return elements;
    }

    private TomeException wrongKind(String key, String kind) {
        return new TomeException(
                "Wrong in " + origin + ": '" + key + "' is " + shown(key) + " where " + kind + " belongs.");
    }

    private String shown(String key) {
        return abbreviated(String.valueOf(values.get(key)));
    }

    private static String abbreviated(String text) {
        return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + " ...";
    }
}
