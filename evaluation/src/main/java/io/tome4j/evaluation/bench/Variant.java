package io.tome4j.evaluation.bench;

import io.tome4j.tensor.AttentionKernel;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The columns of the reference's table, and those that it lacks: efficient attention alone, and deep features reused in two
 * of three steps (DeepCache, arXiv 2312.00858).
 */
public enum Variant {
    VANILLA("vanilla", AttentionKernel.NAIVE, false, 1),
    TOME("tome", AttentionKernel.NAIVE, true, 1),
    TOME_EFFICIENT("tome+efficient", AttentionKernel.EFFICIENT, true, 1),
    EFFICIENT("efficient", AttentionKernel.EFFICIENT, false, 1),
    EFFICIENT_REUSE("efficient+reuse3", AttentionKernel.EFFICIENT, false, 3),
    TOME_EFFICIENT_REUSE("tome+efficient+reuse3", AttentionKernel.EFFICIENT, true, 3);

    /** Those that compute all in each step: the reference's columns, and efficient attention. */
    public static final List<Variant> WITHOUT_REUSE = List.of(VANILLA, TOME, TOME_EFFICIENT, EFFICIENT);

    private final String label;
    private final AttentionKernel attention;
    private final boolean merges;
    private final int reuseEvery;

    Variant(String label, AttentionKernel attention, boolean merges, int reuseEvery) {
        this.label = label;
        this.attention = attention;
        this.merges = merges;
        this.reuseEvery = reuseEvery;
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

    /** How many steps share the deep features of one; 1 is no reuse. */
    public int reuseEvery() {
        return reuseEvery;
    }

    /** At least so many steps, in whole intervals of reuse: their mean is what a step takes. */
    int wholeIntervals(int steps) {
        return (steps + reuseEvery - 1) / reuseEvery * reuseEvery;
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
