package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The way of one batch of images through a model, step by step. It keeps the matchings that blocks share
 * ({@link ToMeOptions.Matching}), and owns their memory:
 *
 * <pre>{@code
 * try (var run = MergeRun.of(seed)) {
 *     for (int step = 0; step < steps; step++) {
 *         model.forward(x, run.step(step));
 *     }
 * }
 * }</pre>
 *
 * Another batch is another run, so that nothing passes from one to the next. For one thread at a time.
 */
public final class MergeRun implements AutoCloseable {
    /** Keeps nothing: each block matches for itself. */
    public static final MergeRun NONE = new MergeRun(0, 1, false);

    /** What a matching is for: it fits no other model, level (or block), size or batch. */
    record Key(Object patch, int blocks, TokenGrid grid, long batch) {}

    /** A matching and the steps it is for. */
    private static final class Kept {
        private final TokenMerge merge;
        private final int fromStep;
        private final int untilStep;
        private final Set<Integer> served = new HashSet<>(); // blocks, in the step lastStep
        private int lastStep;

        private Kept(TokenMerge merge, int step, int every) {
            this.merge = merge;
            this.fromStep = firstOf(step, every);
            this.untilStep = fromStep + every;
            this.lastStep = step;
        }

        /** Whether a block may use it. One that asks twice in a step is in another forward pass, of other tokens. */
        private boolean serves(int step, int block) {
            if (step < fromStep || step >= untilStep) {
                return false;
            }
            if (step != lastStep) {
                lastStep = step;
                served.clear();
            }
            return served.add(block);
        }

        private void free() {
            if (merge instanceof MergePlan plan) {
                plan.free();
            }
        }
    }

    private final long seed;
    private final int copies;
    private final boolean keeps;
    private final Map<Key, Kept> kept = new HashMap<>();
    private boolean closed;

    private MergeRun(long seed, int copies, boolean keeps) {
        this.seed = seed;
        this.copies = copies;
        this.keeps = keeps;
    }

    /** A run whose batch holds each image once. */
    public static MergeRun of(long seed) {
        return of(seed, 1);
    }

    /**
     * @param seed what draws are keyed by
     * @param copies how often the batch holds each image, at least 1: 2 under classifier-free guidance, with all
     *     unconditional halves before all conditional ones
     */
    public static MergeRun of(long seed, int copies) {
        if (copies < 1) {
            throw new IllegalArgumentException("copies is " + copies + ": a batch holds each image at least once");
        }
        return new MergeRun(seed, copies, true);
    }

    /** The context of a step's forward pass, from 0. Steps may be left out; going back matches anew. */
    public MergeContext step(int step) {
        return new MergeContext(seed, step, this);
    }

    /** How often the batch holds each image. */
    public int copies() {
        return copies;
    }

    /** The first of the {@code every} steps that share a matching with this one. */
    static int firstOf(int step, int every) {
        return step - Math.floorMod(step, every);
    }

    /** Matchings in memory. */
    int size() {
        return kept.size();
    }

    /**
     * The matching for a block in a step: the one kept, or a new one.
     *
     * @param every how many steps share it
     * @param block the number of the block that asks
     */
    TokenMerge shared(Key key, int step, int every, int block, Supplier<TokenMerge> match) {
        if (!keeps) {
            return match.get();
        }
        if (closed) {
            throw new IllegalStateException("This run is closed: open another MergeRun for another batch of images");
        }
        Kept current = kept.get(key);
        if (current != null && current.serves(step, block)) {
            return current.merge;
        }
        // Whatever is out of date goes first: a size or model that does not come back would stay till the end.
        kept.entrySet().removeIf(entry -> {
            Kept other = entry.getValue();
            boolean stale = entry.getKey().equals(key) || step < other.fromStep || step >= other.untilStep;
            if (stale) {
                other.free();
            }
            return stale;
        });
        try (var scope = TensorScope.open()) {
            TokenMerge merge = match.get() instanceof MergePlan plan ? plan.retain(scope) : TokenMerge.NONE;
            Kept made = new Kept(merge, step, every);
            made.served.add(block);
            kept.put(key, made);
            return merge;
        }
    }

    /** Frees the matchings. Closing twice does no harm. */
    @Override
    public void close() {
        closed = keeps;
        kept.values().forEach(Kept::free);
        kept.clear();
    }
}
