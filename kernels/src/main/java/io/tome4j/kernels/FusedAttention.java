package io.tome4j.kernels;

/**
 * Attention in bf16, head by head, whose scores never leave the processor's first cache. Exact for any input but for
 * rounding to bf16: {@code src/main/c/attention_avx512_bf16.c} says how.
 */
public final class FusedAttention {
    /** Queries that are computed together. The result's bits do not depend on where between tiles a head is cut. */
    public static final long TILE = 64;

    private static final long LARGEST_SIZE = 256;

    FusedAttention() {}

    /** Whether heads of this size can be computed: multiples of 8 up to 256. */
    public boolean takes(long size) {
        return size >= 8 && size <= LARGEST_SIZE && size % 8 == 0;
    }

    /** Bytes that {@link #attend} needs for itself. */
    public long scratchBytes(long keys, long size) {
        return NativeCalls.scratchBytes(keys, size);
    }

    /**
     * Computes on the calling thread.
     *
     * @param scratch address of {@link #scratchBytes} bytes, a multiple of 64, that no other thread uses meanwhile
     * @throws IllegalArgumentException if the head's size is not one that {@link #takes} takes, if there are no queries
     *     or no keys, or if {@code scratch} is not aligned
     */
    public void attend(AttentionHead head, long scratch) {
        if (!takes(head.size()) || head.rows() < 1 || head.count() < 1 || scratch % 64 != 0) {
            throw new IllegalArgumentException("no attention for " + head + " with scratch memory at " + scratch);
        }
        NativeCalls.attend(
                head.queries().address(),
                head.queries().stride(),
                head.keys().address(),
                head.keys().stride(),
                head.values().address(),
                head.values().stride(),
                head.mask().address(),
                head.mask().stride(),
                head.bias(),
                head.out().address(),
                head.out().stride(),
                head.rows(),
                head.count(),
                head.size(),
                head.scale(),
                scratch);
    }
}
