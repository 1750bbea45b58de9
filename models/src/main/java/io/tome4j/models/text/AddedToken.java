package io.tome4j.models.text;

/**
 * A token that is found in a prompt before the prompt is divided into words.
 *
 * @param content its text
 * @param normalized whether it is looked for in the lower-cased prompt, instead of in the prompt as it was written
 */
record SpecialToken(String content, boolean normalized) {}
