package io.tome4j.models.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Uninterrupted;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * CLIP's byte pair tokenizer: gives the same ids as {@code transformers.CLIPTokenizer}, by the same library below it,
 * Hugging Face's {@code tokenizers}. Safe for use by several threads at once.
 */
public final class ClipTokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;
    private final TokenizerFiles files;

    private ClipTokenizer(HuggingFaceTokenizer tokenizer, TokenizerFiles files) {
        this.tokenizer = tokenizer;
        this.files = files;
    }

    /**
     * Reads the {@code tokenizer} folder of a checkpoint: {@code vocab.json} and {@code merges.txt}, or, where these are
     * not there, the {@code tokenizer.json} that newer versions of transformers write; and, where they are there,
     * {@code tokenizer_config.json} and {@code special_tokens_map.json}.
     *
     * @throws TomeException if a file is missing or broken, or has a setting that would change ids in a way that is not
     *     supported
     */
    public static ClipTokenizer of(Path folder) {
        return of(TokenizerFiles.read(folder), folder.toString());
    }

    /**
     * The tokenizer of a checkpoint. One that has no files for it, as single files have none, gets CLIP's own vocabulary,
     * which ships with tome4j; its config may say {@code pad_token}.
     *
     * @throws TomeException as {@link #of(Path)}
     */
    public static ClipTokenizer of(Checkpoint.Component tokenizer) {
        return tokenizer.folder().isPresent()
                ? of(tokenizer.folder().get())
                : of(TokenizerFiles.shipped(tokenizer.config().text("pad_token", TokenizerSettings.END)), "tome4j");
    }

    private static ClipTokenizer of(TokenizerFiles files, String origin) {
        keepLibraryOffline();
        return Uninterrupted.get(() -> new ClipTokenizer(load(files, origin), files));
    }

    private static HuggingFaceTokenizer load(TokenizerFiles files, String origin) {
        byte[] json = files.tokenizerJson().getBytes(StandardCharsets.UTF_8);
        try {
            // Cut and padded here and not there, so that what is dropped can be told.
            Map<String, String> options = Map.of("truncation", "false", "padding", "false");
            return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options);
        } catch (IOException | RuntimeException e) {
            throw new TomeException(
                    "No tokenizer can be made of the vocabulary in " + origin + ": " + e.getMessage(), e);
        } catch (LinkageError e) {
            throw new TomeException("The native library of the tokenizer could not be loaded: " + e.getMessage(), e);
        }
    }

    /** Unless it is told so, DJL reports its use, and where it sees a GPU it downloads a library for it. */
    private static void keepLibraryOffline() {
        for (String key : new String[] {"ai.djl.offline", "OPT_OUT_TRACKING"}) {
            if (System.getProperty(key) == null) {
                System.setProperty(key, "true");
            }
        }
    }

    /** The ids that every prompt has, by their tokens: of the markers of its beginning and end, and of padding. */
    public Map<String, Integer> markerIds() {
        return Collections.unmodifiableMap(files.markerIds());
    }

    /** How many ids each prompt has: 77 in Stable Diffusion. */
    public int maxLength() {
        return files.maxLength();
    }

    /**
     * The ids of a prompt.
     *
     * @param prompt any text; what does not fit into {@link #maxLength()} ids, the two markers included, is dropped
     * @return the ids, cut or padded to {@link #maxLength()}, and the text that was dropped
     */
    public TokenizedPrompt encode(String prompt) {
        String text = withoutLoneSurrogates(prompt);
        Encoding encoding = tokenizer.encode(text);
        long[] all = encoding.getIds();
        int length = maxLength();
        long[] ids = Arrays.copyOf(all, length);
        if (all.length <= length) {
            Arrays.fill(ids, all.length, length, files.padId());
            return new TokenizedPrompt(ids, "");
        }
        ids[length - 1] = all[all.length - 1]; // the end marker
        return new TokenizedPrompt(ids, dropped(text, encoding.getCharTokenSpans(), length - 1));
    }

    /** The ids of a text of any length, without markers and padding. */
    public long[] tokens(String text) {
        return tokenizer.encode(withoutLoneSurrogates(text), false, false).getIds();
    }

    /** The first id that no token has. */
    public long nextId() {
        return files.nextId();
    }

    /**
     * The same tokenizer with more tokens, as {@code add_tokens} of transformers adds them: found in the lower-cased text,
     * before it is divided into words, the longest first.
     *
     * @param texts the tokens; their ids are {@link #nextId()} and those that follow
     * @return one to be closed by itself
     * @throws TomeException if one is a token already
     */
    public ClipTokenizer with(List<String> texts) {
        return of(files.with(texts), "a textual inversion");
    }

    /** Half a surrogate pair is no character, and the native side could not read it. */
    private static String withoutLoneSurrogates(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
    }

    /** The text from the word on of which the first dropped token is a part. */
    private static String dropped(String text, CharSpan[] spans, int firstDropped) {
        // The markers have no span, so the token before the end marker is the last that can be asked.
        int start = text.offsetByCodePoints(0, spans[firstDropped].getStart());
        while (start > 0 && !Character.isWhitespace(text.codePointBefore(start))) {
            start -= Character.charCount(text.codePointBefore(start));
        }
        return text.substring(start).strip();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
