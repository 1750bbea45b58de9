package io.tome4j.server.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** JSON in bodies. */
public final class Json {
    private static final int DEEPEST = 60;
    private static final int LONGEST_NUMBER = 100;

    /** Values, names and brackets: each takes a hundred times the memory of the byte that it may be. */
    private static final int MOST_TOKENS = 100_000;

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST)
                            .maxTokenCount(MOST_TOKENS)
                            .maxNumberLength(LONGEST_NUMBER)
                            .maxStringLength(256 << 20)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private Json() {}

    public static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    public static ArrayNode array() {
        return JsonNodeFactory.instance.arrayNode();
    }

    /**
     * The object in a body.
     *
     * @param orEmpty whether an empty body counts as an empty object
     * @throws HttpError 400 if it is no JSON, or no object
     */
    public static ObjectNode read(Exchange exchange, boolean orEmpty) {
        byte[] body = exchange.body();
        if (body.length == 0 && orEmpty) {
            return object();
        }
        return read(body);
    }

    /** As {@link #read(Exchange, boolean)}, of bytes. */
    public static ObjectNode read(byte[] body) {
        try {
            if (MAPPER.readTree(body) instanceof ObjectNode object) {
                return object;
            }
        } catch (StreamConstraintsException e) {
            throw HttpError.of(
                    400,
                    "The body has more than " + MOST_TOKENS + " parts, more than " + DEEPEST
                            + " lists in each other, or a number of more than " + LONGEST_NUMBER + " digits");
        } catch (JsonProcessingException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " (line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ")";
            throw HttpError.of(400, "The body is not valid JSON" + where);
        } catch (IOException | RuntimeException e) {
            throw HttpError.of(400, "The body is not valid JSON");
        }
        throw HttpError.of(400, "The body must be a JSON object");
    }

    /** Answers with JSON. */
    public static void answer(Exchange exchange, JsonNode json) {
        answer(exchange, 200, json);
    }

    public static void answer(Exchange exchange, int status, JsonNode json) {
        exchange.answer(status, "application/json", json.toString().getBytes(StandardCharsets.UTF_8));
    }
}
