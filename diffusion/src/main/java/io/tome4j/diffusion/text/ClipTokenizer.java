package io.tome4j.diffusion.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.tome4j.tensor.TomeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * CLIP's byte pair tokenizer: gives the same ids as {@code transformers.CLIPTokenizer}. Safe for use by several threads
 * at once.
 */
public final class ClipTokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;
    private final ClipVocabulary vocabulary;

    private ClipTokenizer(HuggingFaceTokenizer tokenizer, ClipVocabulary vocabulary) {
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
    }

    /**
     * Reads the {@code tokenizer} folder of a checkpoint: {@code vocab.json} and {@code merges.txt}, or
     * {@code tokenizer.json}, and {@code tokenizer_config.json}.
     *
     * @throws TomeException if a file is missing or broken, or has a setting that is not supported
     */
    public static ClipTokenizer of(Path folder) {
        ClipVocabulary vocabulary = ClipVocabulary.read(folder);
        // The library would otherwise look for models on the network, and report its use when on EC2.
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        try {
            byte[] json = vocabulary.tokenizerJson().getBytes(StandardCharsets.UTF_8);
            return new ClipTokenizer(
                    HuggingFaceTokenizer.newInstance(
                            new ByteArrayInputStream(json),
                            Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false")),
                    vocabulary);
        } catch (IOException | RuntimeException e) {
            throw new TomeException(
                    "The tokenizer in " + folder
                            + " cannot be used: its vocabulary and its merges do not fit together (" + e.getMessage()
                            + ").",
                    e);
        }
    }

    /** How many ids each prompt has: 77 in Stable Diffusion. */
    public int maxLength() {
        return vocabulary.maxLength();
    }

    /** The ids of a prompt, cut or padded to {@link #maxLength()}. */
    public TokenizedPrompt encode(String prompt) {
        Encoding encoding = tokenizer.encode(prompt);
        long[] tokens = encoding.getIds();
        int kept = Math.min(tokens.length, maxLength() - 2);
        long[] ids = new long[maxLength()];
        ids[0] = vocabulary.startId();
        System.arraycopy(tokens, 0, ids, 1, kept);
        ids[kept + 1] = vocabulary.endId();
        Arrays.fill(ids, kept + 2, ids.length, vocabulary.padId());
        String dropped = kept == tokens.length ? "" : fromWordAt(prompt, encoding.getCharTokenSpans()[kept].getStart());
        return new TokenizedPrompt(ids, dropped);
    }

    /** What is left of a prompt from the word on that a character (counted in code points) belongs to. */
    private static String fromWordAt(String prompt, int codePoint) {
        int start = prompt.offsetByCodePoints(0, codePoint);
        while (start > 0 && !Character.isWhitespace(prompt.charAt(start - 1))) {
            start--;
        }
        return prompt.substring(start).strip();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
