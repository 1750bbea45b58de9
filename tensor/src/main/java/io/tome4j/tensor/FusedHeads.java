package io.tome4j.tensor;

import io.tome4j.kernels.AttentionHead;
import io.tome4j.kernels.FusedAttention;
import io.tome4j.kernels.Kernels;
import io.tome4j.kernels.Matrix;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * All heads of a batch by {@link FusedAttention}, which computes one: heads, and ranges of their queries where heads are
 * few, are spread over threads. Besides the result there is only what each thread arranges of a head's keys and values.
 */
final class FusedHeads {
    /** Multiplications in all from which on other threads are worth waking. */
    private static final long SPREAD_FROM = 20_000_000;

    /** Pieces of work for each thread, if not more, so that none waits long for the last one. */
    private static final long PIECES = 8;

    /** Queries for which arranging keys and values again is a small part of the work. */
    private static final long FEWEST_ROWS = 4 * FusedAttention.TILE;

    private final FusedAttention kernel;
    private final long heads;
    private final long rows; // N
    private final long count; // M
    private final long size; // d
    private final Heads queries;
    private final Heads keys;
    private final Heads values;
    private final Heads results;
    private final Matrix mask;
    private final long bias; // address of [B, M] fp32, or 0

    /** Where the heads of a {@code [B, heads, rows, d]} tensor lie. Strides count elements of bf16. */
    private record Heads(long address, long batchStride, long headStride, long rowStride) {
        static Heads of(Tensor x) {
            return new Heads(Tensors.address(x), x.stride(0), x.stride(1), x.stride(2));
        }

        Matrix matrix(long image, long head) {
            long elements = image * batchStride + head * headStride;
            return new Matrix(address + elements * Short.BYTES, rowStride);
        }
    }

    private FusedHeads(
            FusedAttention kernel,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor out,
            Optional<Tensor> mask,
            Optional<Tensor> bias) {
        this.kernel = kernel;
        this.heads = q.size(1);
        this.rows = q.size(2);
        this.count = k.size(2);
        this.size = q.size(3);
        this.queries = Heads.of(q);
        this.keys = Heads.of(k);
        this.values = Heads.of(v);
        this.results = Heads.of(out);
        this.mask = mask.map(x -> new Matrix(Tensors.address(x), x.stride(0))).orElse(Matrix.NONE);
        this.bias = bias.map(Tensors::address).orElse(0L);
    }

    /**
     * Whether these can be computed here.
     *
     * @param q {@code [B, heads, N, d]}, with any strides
     * @param k {@code [B, heads, M, d]}
     * @param v {@code [B, heads, M, d]}
     * @param mask {@code [N, M]}, added to the scores
     */
    static boolean take(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
        return isBf16OnCpu(q)
                && isBf16OnCpu(k)
                && isBf16OnCpu(v)
                && areOneHeads(q, k)
                && areOneHeads(k, v)
                && k.size(2) == v.size(2)
                && mask.map(added -> isBf16OnCpu(added)
                                && added.dim() == 2
                                && added.size(0) == q.size(2)
                                && added.size(1) == k.size(2))
                        .orElse(true)
                && q.numel() > 0
                && k.numel() > 0
                && Kernels.here()
                        .attention()
                        .filter(kernel -> kernel.takes(q.size(3)))
                        .isPresent();
    }

    /** What is not is left to libtorch, whose messages say what is wrong. */
    private static boolean areOneHeads(Tensor a, Tensor b) {
        return a.size(0) == b.size(0) && a.size(1) == b.size(1) && a.size(3) == b.size(3);
    }

    private static boolean isBf16OnCpu(Tensor x) {
        return x.is_cpu() && Tensors.dtype(x) == ScalarType.BFloat16;
    }

    /**
     * Attention of what {@link #take} takes.
     *
     * @param bias {@code [B, M]}, added to all scores of a key
     * @return {@code [B, heads, N, d]}, a view of a contiguous {@code [B, N, heads, d]}
     */
    static Tensor attend(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask, Optional<Tensor> bias) {
        boolean spread = q.numel() * k.size(2) >= SPREAD_FROM;
        return attend(q, k, v, mask, bias, spread ? Engine.start().workers() : Workers.NONE);
    }

    static Tensor attend(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask, Optional<Tensor> bias, Workers workers) {
        try (var scope = TensorScope.open()) {
            Tensor out = q.new_empty(q.size(0), q.size(2), q.size(1), q.size(3)).transpose(1, 2);
            var heads = new FusedHeads(
                    Kernels.here().attention().orElseThrow(),
                    withRows(q),
                    withRows(k),
                    withRows(v),
                    out,
                    mask.map(FusedHeads::withRows),
                    bias.map(x ->
                            x.to(ScalarType.Float).expand(k.size(0), k.size(2)).contiguous()));
            heads.compute(q, workers);
            return scope.release(out);
        }
    }

    /** The tensor, or a copy of it, with the elements of a row side by side. */
    private static Tensor withRows(Tensor x) {
        return x.stride(x.dim() - 1) == 1 ? x : x.contiguous();
    }

    private void compute(Tensor q, Workers workers) {
        long heads = q.size(0) * q.size(1);
        long wanted = (PIECES * workers.count() + heads - 1) / heads;
        long ranges = Math.max(1, Math.min(wanted, rows / FEWEST_ROWS)); // of a head's queries
        long rangeRows = roundUp((rows + ranges - 1) / ranges, FusedAttention.TILE);

        Scratch scratch = new Scratch(q, workers.count(), kernel.scratchBytes(count, size));

        AtomicLong next = new AtomicLong();
        workers.forEach(workers.count(), thread -> {
            for (long piece = next.getAndIncrement(); piece < heads * ranges; piece = next.getAndIncrement()) {
                long from = piece % ranges * rangeRows;
                if (from < rows) { // rounding to whole tiles may leave nothing for the last range
                    AttentionHead range = head(piece / ranges).range(from, Math.min(rows, from + rangeRows));
                    kernel.attend(range, scratch.address(thread));
                }
            }
        });
    }

    /** @param number among all heads of the batch */
    private AttentionHead head(long number) {
        long image = number / heads;
        long head = number % heads;
        return new AttentionHead(
                queries.matrix(image, head),
                keys.matrix(image, head),
                values.matrix(image, head),
                results.matrix(image, head),
                mask,
                bias == 0 ? 0 : bias + image * count * Float.BYTES,
                rows,
                count,
                size,
                (float) (1 / Math.sqrt(size)));
    }

    private static long roundUp(long number, long multiple) {
        return (number + multiple - 1) / multiple * multiple;
    }
}
