package io.tome4j.models.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;

/** CLIP's own vocabulary, which all of Stable Diffusion shares: it ships with tome4j, for files that bring none. */
final class ClipVocabulary {
    private ClipVocabulary() {}

    /** Each token's id, as a JSON object. */
    static String vocabJson() {
        return text("vocab.json.gz");
    }

    /** The pairs of tokens that form another, a line each, the most frequent first. */
    static String mergesTxt() {
        return text("merges.txt.gz");
    }

    private static String text(String resource) {
        try (InputStream packed = ClipVocabulary.class.getResourceAsStream(resource)) {
            if (packed == null) {
                throw new IllegalStateException("The resource " + resource + " is missing from tome4j's jar");
            }
            return new String(new GZIPInputStream(packed).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
