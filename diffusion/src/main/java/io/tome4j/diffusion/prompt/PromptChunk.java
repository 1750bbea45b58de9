package io.tome4j.diffusion.prompt;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A piece of a prompt that the text encoder sees at once: tokens between a start and an end marker, and padding. */
public final class PromptChunk {
    /**
     * Vectors that stand in for tokens' embeddings.
     *
     * @param name of the textual inversion
     * @param at the first place among the chunk's ids that its vectors take
     */
    public record Insert(String name, int at) {}

    private final long[] ids;
    private final float[] weights;
    private final List<Insert> inserts;

    PromptChunk(long[] ids, float[] weights, List<Insert> inserts) {
        this.ids = ids.clone();
        this.weights = weights.clone();
        this.inserts = List.copyOf(inserts);
    }

    /** A chunk of given tokens, without inserts. */
    public static PromptChunk of(long[] ids, float[] weights) {
        return new PromptChunk(ids, weights, List.of());
    }

    /** Token ids, as many in each chunk of a tokenizer. A copy. */
    public long[] ids() {
        return ids.clone();
    }

    /** How much each token counts; markers and padding count 1. A copy. */
    public float[] weights() {
        return weights.clone();
    }

    /** The vectors put in, in order. */
    public List<Insert> inserts() {
        return inserts;
    }

    /** Whether every token counts 1. */
    public boolean isLevel() {
        for (float weight : weights) {
            if (weight != 1) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PromptChunk chunk
                && Arrays.equals(chunk.ids, ids)
                && Arrays.equals(chunk.weights, weights)
                && chunk.inserts.equals(inserts);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(ids), Arrays.hashCode(weights), inserts);
    }

    @Override
    public String toString() {
        return "ids " + Arrays.toString(ids) + " weights " + Arrays.toString(weights) + " inserts " + inserts;
    }
}
