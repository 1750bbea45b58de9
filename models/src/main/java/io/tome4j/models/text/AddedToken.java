package io.tome4j.models.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;

/**
 * A token that is found in a prompt before the prompt is divided into words.
 *
 * @param content its text
 * @param normalized whether it is looked for in the lower-cased prompt, instead of in the prompt as it was written
 * @param lstrip whether it takes the spaces before it along
 * @param rstrip whether it takes the spaces after it along
 * @param singleWord whether it is found only where it is a word by itself
 */
record AddedToken(String content, boolean normalized, boolean lstrip, boolean rstrip, boolean singleWord) {
    /** A marker that its file gives by its text alone. */
    static AddedToken special(String content) {
        return new AddedToken(content, false, false, false, false);
    }

    /** A token of {@code added_tokens.json}, which knows only its text. */
    static AddedToken plain(String content) {
        return new AddedToken(content, true, false, false, false);
    }

    /**
     * Reads a token from a string, or from an object with {@code content} and flags.
     *
     * @param special what the flag {@code special} is where the object does not say
     * @param where file and key, for messages
     * @throws TomeException if it is neither
     */
    static AddedToken read(JsonNode value, boolean special, String where) {
        if (value.isTextual()) {
            return special(value.textValue());
        }
        if (!value.path("content").isTextual()) {
            throw new TomeException(
                    "Wrong in " + where + ": a token belongs there, a string or an object with 'content'.");
        }
        boolean isSpecial = flag(value, "special", special, where);
        return new AddedToken(
                value.path("content").textValue(),
                flag(value, "normalized", !isSpecial, where),
                flag(value, "lstrip", false, where),
                flag(value, "rstrip", false, where),
                flag(value, "single_word", false, where));
    }

    private static boolean flag(JsonNode value, String key, boolean absent, String where) {
        JsonNode flag = value.path(key);
        if (!flag.isMissingNode() && !flag.isBoolean()) {
            throw new TomeException(
                    "Wrong in " + where + ": '" + key + "' is " + flag + " where true or false belongs.");
        }
        return flag.isMissingNode() ? absent : flag.booleanValue();
    }

    /** As Hugging Face's {@code tokenizers} library reads it. */
    void writeTo(ObjectNode json, int id) {
        json.put("id", id)
                .put("content", content)
                .put("single_word", singleWord)
                .put("lstrip", lstrip)
                .put("rstrip", rstrip)
                .put("normalized", normalized)
                .put("special", true);
    }
}
