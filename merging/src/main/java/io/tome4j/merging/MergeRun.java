package io.tome4j.merging;

import io.tome4j.merging.MergeMethod.BlockTokens;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The way of one batch of images through a model, step by step: what each of its blocks is to do. It keeps the matchings
 * that blocks share ({@link ToMeOptions#matchPer}, {@link ToMeOptions#matchEvery}), and owns their memory:
 *
 * <pre>{@code
 * try (var run = MergeRun.of(model, ToMeOptions.ratio(0.5), seed, 1)) {
 *     for (int step = 0; step < steps; step++) {
 *         model.forward(x, run.step(step));
 *     }
 * }
 * }</pre>
 *
 * Another batch is another run, so that nothing passes from one to the next. For one thread at a time.
 */
public final class MergeRun implements AutoCloseable {
    /** Merges nothing, in any model. */
    public static final MergeRun NONE =
            new MergeRun(new IdentityHashMap<>(), ToMeOptions.NONE, 0, 1, MergeListener.NONE, ProtectedTokens.NONE);

    /**
     * What a matching is for.
     *
     * @param users the first of the blocks that may use it; empty for all of the grid's
     */
    record Key(OptionalInt users, TokenGrid grid, long batch) {}

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

    /** By block; an unmerged one has none. */
    private final IdentityHashMap<MergeableBlock, Optional<BlockMerger>> mergers;

    private final ToMeOptions options;
    private final long seed;
    private final int copies;
    private final MergeListener listener;
    private final ProtectedTokens protection;
    private final Map<Key, Kept> kept = new HashMap<>();
    private boolean closed;

    private MergeRun(
            IdentityHashMap<MergeableBlock, Optional<BlockMerger>> mergers,
            ToMeOptions options,
            long seed,
            int copies,
            MergeListener listener,
            ProtectedTokens protection) {
        this.mergers = mergers;
        this.options = options;
        this.seed = seed;
        this.copies = copies;
        this.listener = listener;
        this.protection = protection;
    }

    /**
     * A run that does what the model is {@linkplain ToMe#applyPatch patched} with now, or nothing.
     *
     * @param seed what draws are keyed by
     * @param copies how often the batch holds each image, at least 1: 2 under classifier-free guidance, with all
     *     unconditional halves before all conditional ones
     */
    public static MergeRun of(MergeableModel model, long seed, int copies) {
        return of(model, Optional.empty(), seed, copies, MergeListener.NONE);
    }

    /**
     * A run that merges so, whatever the model is patched with. In {@link ToMeOptions.Mode#TOMESD} it draws as after
     * {@code torch.manual_seed(seed)} and a fresh patch.
     *
     * @throws OptionException if nothing would be merged; the message says which option would change that
     */
    public static MergeRun of(MergeableModel model, ToMeOptions options, long seed, int copies) {
        return of(model, Optional.of(options), seed, copies, MergeListener.NONE);
    }

    /**
     * A run that somebody listens to.
     *
     * @param options what to merge; empty for what the model is patched with
     * @param listener told what each block does
     */
    public static MergeRun of(
            MergeableModel model, Optional<ToMeOptions> options, long seed, int copies, MergeListener listener) {
        if (copies < 1) {
            throw new IllegalArgumentException("copies is " + copies + ": a batch holds each image at least once");
        }
        ToMePatch.Applied patched = options.map(
                        asked -> new ToMePatch.Applied(asked, DestinationDraw.runningOnFrom(seed)))
                .orElseGet(() -> model.patch().applied());
        ToMeOptions resolved = ToMe.resolved(model, patched.options());
        return new MergeRun(
                ToMe.mergers(model, resolved, patched.runningOn()),
                resolved,
                seed,
                copies,
                listener,
                ProtectedTokens.NONE);
    }

    /**
     * Another run that is the same but for not merging these tokens; to be closed as this one.
     *
     * @param tokens of the model's input
     * @throws OptionException if it merges in a way that cannot leave tokens out: {@link ToMeOptions.Method#TODO}, or {@link
     *     ToMeOptions.Mode#TOMESD}
     */
    public MergeRun protecting(ProtectedTokens tokens) {
        if (!tokens.isNone()) {
            options.requireProtection();
        }
        return new MergeRun(mergers, options, seed, copies, listener, tokens);
    }

    /** The tokens that it does not merge. */
    public ProtectedTokens kept() {
        return protection;
    }

    /** What this run merges, {@linkplain ToMe#resolved resolved} for its model. */
    public ToMeOptions options() {
        return options;
    }

    /** As {@link #step(int, int)}, of a batch that holds each image as often as the run was opened for. */
    public MergeContext step(int step) {
        return step(step, copies);
    }

    /**
     * The context of a step's forward pass. Steps may be left out; going back matches anew.
     *
     * @param step from 0
     * @param batchCopies how often this step's batch holds each image; a matching of another batch is not used for it
     */
    public MergeContext step(int step, int batchCopies) {
        return step(step, 0, batchCopies);
    }

    /**
     * As {@link #step(int, int)}, of a run whose number of steps is known: a {@linkplain ToMeOptions#ratioChanges ratio that
     * changes} needs it.
     */
    public MergeContext step(int step, int steps, int batchCopies) {
        return new MergeContext(this, step, steps, batchCopies);
    }

    /** What draws are keyed by. */
    long seed() {
        return seed;
    }

    BlockMerge merge(MergeableBlock block, BlockTokens tokens, MergeContext context) {
        BlockMerge merge = options.merges()
                ? merger(block).map(found -> found.merge(tokens, context)).orElse(BlockMerge.NONE)
                : BlockMerge.NONE;
        listener.onMerge(block, tokens.hidden(), tokens.grid(), merge, context);
        return merge;
    }

    private Optional<BlockMerger> merger(MergeableBlock block) {
        Optional<BlockMerger> merger = mergers.get(block);
        if (merger == null) {
            throw new IllegalArgumentException("This run is for another model: it has no block " + block.name());
        }
        return merger;
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
        closed = true;
        kept.values().forEach(Kept::free);
        kept.clear();
    }
}
