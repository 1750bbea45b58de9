package io.tome4j.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.tome4j.tensor.Option;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.StreamSupport;

/**
 * The fields of a request in JSON, read as clients write them: a field that is {@code null} is not there, numbers and flags
 * may be texts. What cannot be read is an {@link HttpError} that names the field.
 */
public final class Fields {
    private static final int LONGEST_QUOTE = 60;

    private final ObjectNode json;
    private final String prefix;

    private Fields(ObjectNode json, String prefix) {
        this.json = json;
        this.prefix = prefix;
    }

    public static Fields of(ObjectNode json) {
        return new Fields(json, "");
    }

    /** What an error calls a field. */
    public String path(String name) {
        return prefix + name;
    }

    /** The fields' names. */
    public List<String> names() {
        return json.properties().stream()
                .filter(field -> !field.getValue().isNull())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The value of a field as it stands; empty if it is not there. */
    public Optional<JsonNode> value(String name) {
        return Optional.ofNullable(json.get(name)).filter(value -> !value.isNull());
    }

    public boolean has(String name) {
        return value(name).isPresent();
    }

    public Optional<String> text(String name) {
        return value(name).map(value -> {
            if (value.isContainerNode()) {
                throw wrong(name, value, "a text");
            }
            return value.asText();
        });
    }

    /** Texts up to a length. */
    public Optional<String> text(String name, int longest) {
        Optional<String> text = text(name);
        if (text.isPresent() && text.get().length() > longest) {
            throw HttpError.field(
                    path(name),
                    path(name) + " has " + text.get().length() + " characters: it may have at most " + longest);
        }
        return text;
    }

    public Optional<Integer> integer(String name) {
        return whole(name).map(number -> {
            if (number > Integer.MAX_VALUE || number < Integer.MIN_VALUE) {
                throw HttpError.field(path(name), path(name) + " is " + number + ": it is out of range");
            }
            return number.intValue();
        });
    }

    /** A whole number of 64 bits, with a sign or without. */
    public Optional<Long> whole(String name) {
        return value(name)
                .map(value -> read(name, value, "a whole number", text -> {
                    if (text.matches("[+-]?\\d+")) {
                        return Option.wholeNumber(text);
                    }
                    return decimal(text).longValueExact();
                }));
    }

    /** A finite number. */
    public Optional<Double> number(String name) {
        return value(name)
                .map(value -> read(name, value, "a number", text -> {
                    double number = decimal(text).doubleValue();
                    if (!Double.isFinite(number)) {
                        throw new NumberFormatException(text);
                    }
                    return number;
                }));
    }

    /** Exponents beyond a double's make numbers of megabytes when they are written out. */
    private static BigDecimal decimal(String text) {
        BigDecimal number = new BigDecimal(text.strip());
        if (Math.abs((long) number.scale()) > 400 || number.precision() > 400) {
            throw new NumberFormatException(text);
        }
        return number;
    }

    public Optional<Boolean> flag(String name) {
        return value(name)
                .map(value -> read(name, value, "true or false", text -> switch (text.toLowerCase(Locale.ROOT)) {
                    case "true", "1", "1.0", "on", "yes" -> true;
                    case "false", "0", "0.0", "off", "no" -> false;
                    default -> throw new IllegalArgumentException(text);
                }));
    }

    /** The fields of an object; none if it is not there. */
    public Fields object(String name) {
        return value(name)
                .map(value -> {
                    if (value instanceof ObjectNode object) {
                        return new Fields(object, prefix + name + ".");
                    }
                    throw wrong(name, value, "an object");
                })
                .orElseGet(() -> new Fields(Json.object(), prefix + name + "."));
    }

    /**
     * The fields of each object of a list; none if it is not there.
     *
     * @throws HttpError if it is no list, or has something else in it than objects; {@code null}s are passed over
     */
    public List<Fields> objects(String name) {
        JsonNode list = value(name).orElseGet(Json::array);
        if (!list.isArray()) {
            throw wrong(name, list, "a list");
        }
        List<Fields> all = new ArrayList<>();
        for (JsonNode each : list) {
            if (each instanceof ObjectNode object) {
                all.add(new Fields(object, path(name) + "[" + all.size() + "]."));
            } else if (!each.isNull()) {
                throw wrong(name, each, "a list of objects");
            }
        }
        return all;
    }

    /** A list of texts; none if it is not there. */
    public List<String> texts(String name) {
        return value(name)
                .map(value -> {
                    if (!value.isArray()) {
                        throw wrong(name, value, "a list");
                    }
                    return StreamSupport.stream(value.spliterator(), false)
                            .filter(each -> !each.isNull())
                            .map(each -> {
                                if (!(each instanceof TextNode)) {
                                    throw wrong(name, each, "a list of texts");
                                }
                                return each.asText();
                            })
                            .toList();
                })
                .orElse(List.of());
    }

    private <T> T read(String name, JsonNode value, String kind, Function<String, T> reader) {
        if (value.isContainerNode()) {
            throw wrong(name, value, kind);
        }
        try {
            return reader.apply(value.asText().strip());
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw wrong(name, value, kind);
        }
    }

    private HttpError wrong(String name, JsonNode value, String kind) {
        String text = value.isContainerNode() ? (value.isArray() ? "a list" : "an object") : quoted(value.asText());
        return HttpError.field(path(name), path(name) + " is " + text + ": it must be " + kind);
    }

    private static String quoted(String text) {
        return "'" + (text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "...") + "'";
    }

    /** Whether a field is not there, or one of some values that change nothing. */
    public boolean isNeutral(String name, Object... neutral) {
        Optional<JsonNode> value = value(name);
        if (value.isEmpty()) {
            return true;
        }
        if (value.get().isContainerNode()) {
            return value.get().isEmpty();
        }
        String text = value.get().asText().strip();
        for (Object each : neutral) {
            if (text.equalsIgnoreCase(String.valueOf(each))
                    || (each instanceof Number number && isNumber(text, number))) {
                return true;
            }
        }
        return text.isEmpty();
    }

    private static boolean isNumber(String text, Number number) {
        try {
            return Double.parseDouble(text) == number.doubleValue();
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
