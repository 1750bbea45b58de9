package io.tome4j.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Where a computation's time goes, by the kind of work. Layers mark what they do:
 *
 * <pre>{@code
 * try (var section = Profile.section(Profile.Part.LINEAR, () -> 2 * x.numel() * out)) {
 *     return torch.linear(x, weight);
 * }
 * }</pre>
 *
 * <p>Nothing is measured, and next to nothing is spent, but on a thread that has {@linkplain #start started} a profile
 * and not closed it yet. A section within another counts for itself and not for the one around it.
 */
public final class Profile implements AutoCloseable {
    /** Kinds of work. */
    public enum Part {
        CONVOLUTION,
        LINEAR,
        /** Scores, softmax and weighted values; the projections around them are {@link #LINEAR}. */
        ATTENTION,
        NORMALIZATION,
        /** Finding out which tokens to merge. */
        MATCHING,
        /** Merging tokens and unmerging them. */
        MERGING
    }

    /**
     * What a part came to.
     *
     * @param calls how many sections there were
     * @param nanoseconds the time they took
     * @param flops floating-point operations in them, a multiplication with its addition counting as two; 0 where they
     *     are not counted
     */
    public record Cost(long calls, long nanoseconds, long flops) {
        private static final Cost NONE = new Cost(0, 0, 0);

        private Cost plus(Cost other) {
            return new Cost(calls + other.calls, nanoseconds + other.nanoseconds, flops + other.flops);
        }
    }

    /** A stretch of work; ends when it is closed. */
    @FunctionalInterface
    public interface Section extends AutoCloseable {
        @Override
        void close();
    }

    private static final ThreadLocal<@Nullable Profile> OF_THIS_THREAD = new ThreadLocal<>();
    private static final Section UNMEASURED = () -> {};

    private final Map<Part, Cost> costs = new EnumMap<>(Part.class);
    private final Deque<Open> open = new ArrayDeque<>();
    private final boolean cuda;

    private Profile(boolean cuda) {
        this.cuda = cuda;
    }

    /**
     * Begins to measure on this thread; close the profile to end it.
     *
     * @param placement where the work is done: CUDA is waited for at both ends of a section, so that its time is the
     *     device's
     * @throws IllegalStateException if this thread has a profile already
     */
    public static Profile start(Placement placement) {
        if (OF_THIS_THREAD.get() != null) {
            throw new IllegalStateException("This thread is being profiled already: close the other profile first");
        }
        Profile profile = new Profile(placement.device() == ComputeDevice.CUDA);
        OF_THIS_THREAD.set(profile);
        return profile;
    }

    /**
     * Begins a section.
     *
     * @param flops how many floating-point operations it has; asked only if this thread is profiled
     */
    public static Section section(Part part, LongSupplier flops) {
        Profile profile = OF_THIS_THREAD.get();
        return profile == null ? UNMEASURED : profile.open(part, flops.getAsLong());
    }

    /** Begins a section whose operations are not counted. */
    public static Section section(Part part) {
        Profile profile = OF_THIS_THREAD.get();
        return profile == null ? UNMEASURED : profile.open(part, 0);
    }

    /** What was measured so far; parts that did not occur are absent. */
    public Map<Part, Cost> costs() {
        return Map.copyOf(costs);
    }

    @Override
    public void close() {
        if (OF_THIS_THREAD.get() == this) {
            OF_THIS_THREAD.remove();
        }
    }

    private Section open(Part part, long flops) {
        Open section = new Open(part, flops, now());
        open.push(section);
        return section;
    }

    private long now() {
        if (cuda) {
            torch.cuda_synchronize();
        }
        return System.nanoTime();
    }

    private final class Open implements Section {
        private final Part part;
        private final long flops;
        private final long start;
        private long within; // nanoseconds of the sections inside

        private Open(Part part, long flops, long start) {
            this.part = part;
            this.flops = flops;
            this.start = start;
        }

        @Override
        public void close() {
            long took = now() - start;
            open.remove(this);
            if (!open.isEmpty()) {
                open.element().within += took;
            }
            Cost cost = new Cost(1, took - within, flops);
            costs.put(part, costs.getOrDefault(part, Cost.NONE).plus(cost));
        }
    }
}
