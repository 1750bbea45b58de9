package io.tome4j.server.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The fields that requests have by the library's own names: each of {@link Request#OPTIONS}, and {@code token_merging}. */
public final class OwnFields {
    public static final String TOKEN_MERGING = "token_merging";

    /** What is said in other ways: the size, and how many images. */
    private static final List<Option<?>> SAID_OTHERWISE =
            List.of(Request.WIDTH, Request.HEIGHT, Request.IMAGES_PER_PROMPT, Request.SEED_PER_IMAGE);

    private OwnFields() {}

    /** The options that are fields. */
    public static List<Option<?>> options() {
        return Request.OPTIONS.stream()
                .filter(option -> !SAID_OTHERWISE.contains(option))
                .<Option<?>>map(option -> option)
                .toList();
    }

    /** Adds what the query says where the body does not: some clients can add nothing else. */
    public static void addQuery(ObjectNode json, Exchange exchange) {
        List<String> names =
                new ArrayList<>(options().stream().map(Option::name).toList());
        names.add(TOKEN_MERGING);
        for (String name : names) {
            Optional<String> value = exchange.query(name);
            if (value.isPresent() && !json.hasNonNull(name)) {
                json.set(name, parsed(name, value.get()));
            }
        }
    }

    /**
     * The value of a field that is written as text: an object, true or false, or the text itself.
     *
     * @throws HttpError if it begins as an object and is none
     */
    public static JsonNode parsed(String name, String text) {
        if (text.startsWith("{")) {
            try {
                return Json.read(text.getBytes(StandardCharsets.UTF_8));
            } catch (HttpError e) {
                throw HttpError.field(name, name + " begins as a JSON object, and is no valid one");
            }
        }
        return text.equals("true") || text.equals("false")
                ? com.fasterxml.jackson.databind.node.BooleanNode.valueOf(text.equals("true"))
                : TextNode.valueOf(text);
    }

    /**
     * A request with all that the fields say.
     *
     * @throws HttpError that names the field that is wrong
     */
    public static Request apply(Fields fields, Request base) {
        Request request = base.merging(
                MergingJson.read(fields, TOKEN_MERGING, base.merging().orElseThrow()));
        for (Option<?> option : options()) {
            request = apply(fields, request, option);
        }
        requireScheduler(request);
        return request;
    }

    private static <T> Request apply(Fields fields, Request request, Option<T> option) {
        Optional<String> text = fields.text(option.name());
        if (text.isEmpty() || (text.get().isBlank() && !(option.defaultValue() instanceof String))) {
            return request;
        }
        try {
            return request.with(option, option.parse(whole(option, fields, text.get())));
        } catch (OptionException e) {
            throw HttpError.field(option.name(), e.message(UnaryOperator.identity()));
        }
    }

    /** JSON of some programs says 20.0 for 20. */
    private static String whole(Option<?> option, Fields fields, String text) {
        boolean isWhole = option.defaultValue() instanceof Integer || option.defaultValue() instanceof Long;
        return isWhole && text.matches("[+-]?\\d{1,18}\\.0+")
                ? fields.whole(option.name()).orElseThrow().toString()
                : text.strip().isEmpty() || option.defaultValue() instanceof String ? text : text.strip();
    }

    private static void requireScheduler(Request request) {
        if (!request.scheduler().equals(Request.CHECKPOINTS_OWN)
                && !Schedulers.names().contains(request.scheduler())) {
            throw HttpError.field(
                    Request.SCHEDULER.name(),
                    "There is no such scheduler; there are " + String.join(", ", Schedulers.names()));
        }
    }

    /**
     * A size, {@code 512x768}.
     *
     * @throws HttpError if it is none
     */
    public static Request sized(Request request, String size, String field) {
        if (size.isBlank() || size.equalsIgnoreCase("auto")) {
            return request;
        }
        if (!size.matches("\\d{1,6}x\\d{1,6}")) {
            throw HttpError.field(field, field + " must be auto, or width and height, such as 512x512");
        }
        String[] sides = size.split("x", -1);
        try {
            return request.size(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
        } catch (OptionException e) {
            throw HttpError.field(field, field + ": " + e.message(UnaryOperator.identity()));
        }
    }
}
