package io.tome4j.merging;

/**
 * How self-attention sees a block's tokens. A block computes
 *
 * <pre>{@code
 * Tensor q = toQ(merge.queries().merge(normed));
 * Tensor k = toK(merge.keys().merge(normed));
 * Tensor v = toV(merge.keys().merge(normed));
 * Tensor attended = merge.weights().attend(q, k, v, heads, this::attention);
 * return x + merge.queries().unmerge(toOut(attended));
 * }</pre>
 *
 * @param queries around queries and the result
 * @param keys for keys and values; the same object as {@code queries} where all see the same tokens, so that a block may
 *     project them at once
 * @param weights how much each key counts
 */
public record AttentionMerge(TokenMerge queries, TokenReduction keys, KeyWeights weights) {
    /** Nothing is merged. */
    public static final AttentionMerge NONE = new AttentionMerge(TokenMerge.NONE, TokenMerge.NONE, KeyWeights.EQUAL);

    /** Queries, keys and values all see merged tokens, each of which counts as one. */
    public static AttentionMerge of(TokenMerge tokens) {
        return new AttentionMerge(tokens, tokens, KeyWeights.EQUAL);
    }

    /** Whether queries, keys and values see the same tokens. */
    public boolean seesOneSequence() {
        return queries == keys;
    }
}
