package io.tome4j.diffusion.text;

import java.nio.file.Path;

/**
 * CLIP's byte pair tokenizer: gives the same ids as {@code transformers.CLIPTokenizer}. Safe for use by several threads
 * at once.
 */
public final class ClipTokenizer implements AutoCloseable {
    /**
     * Reads the {@code tokenizer} folder of a checkpoint.
     *
     * @throws io.tome4j.tensor.TomeException if a file is missing or broken, or has a setting that is not supported
     */
    public static ClipTokenizer of(Path folder) {
        throw new UnsupportedOperationException(folder.toString());
    }

    /** How many ids each prompt has: 77 in Stable Diffusion. */
    public int maxLength() {
        return 77;
    }

    /** The ids of a prompt, cut or padded to {@link #maxLength()}. */
    public TokenizedPrompt encode(String prompt) {
        throw new UnsupportedOperationException(prompt);
    }

    @Override
    public void close() {}
}
