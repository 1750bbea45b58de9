package io.tome4j.evaluation.bench;

import io.tome4j.tensor.AttentionKernel;
import java.util.Arrays;
import java.util.Optional;

/** The columns of the reference's table, and the one that it lacks: efficient attention alone. */
public enum Variant {
    VANILLA("vanilla", AttentionKernel.NAIVE, false),
    TOME("tome", AttentionKernel.NAIVE, true),
    TOME_EFFICIENT("tome+efficient", AttentionKernel.EFFICIENT, true),
    EFFICIENT("efficient", AttentionKernel.EFFICIENT, false);

    private final String label;
    private final AttentionKernel attention;
    private final boolean merges;

    Variant(String label, AttentionKernel attention, boolean merges) {
        this.label = label;
        this.attention = attention;
        this.merges = merges;
    }

    /** What it is called in options and results. */
    public String label() {
        return label;
    }

    /** How it computes attention. */
    public AttentionKernel attention() {
        return attention;
    }

    /** Whether tokens are merged. */
    public boolean merges() {
        return merges;
    }

    /** The variant of this label; empty if there is none. */
    public static Optional<Variant> labelled(String label) {
        return Arrays.stream(values())
                .filter(variant -> variant.label.equals(label))
                .findFirst();
    }

    @Override
    public String toString() {
        return label;
    }
}
