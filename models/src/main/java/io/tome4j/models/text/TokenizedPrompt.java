package io.tome4j.models.text;

/** A prompt as the text encoder takes it. */
public final class TokenizedPrompt {
    private final long[] ids;
    private final String dropped;

    TokenizedPrompt(long[] ids, String dropped) {
        this.ids = ids;
        this.dropped = dropped;
    }

    /**
     * The token ids: start marker, the prompt's tokens, end marker, padding. Always as many as the tokenizer's
     * {@link ClipTokenizer#maxLength()}. A copy.
     */
    public long[] ids() {
        return ids.clone();
    }

    /**
     * What of the prompt did not fit, as it was written, from the first word that is cut off or missing; empty where
     * the whole prompt fits.
     */
    public String dropped() {
        return dropped;
    }

    /** Whether something of the prompt did not fit. */
    public boolean truncated() {
        return !dropped.isEmpty();
    }
}
