package io.tome4j.tensor;

import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Attention in half precision on a CPU, head by head in chunks of query rows whose scores stay in the cache.
 *
 * <ol>
 *   <li>Queries are scaled by {@code log2(e) / sqrt(d)}, so that a power of two, the cheaper one, is the exponential.
 *   <li>Values get columns of ones, up to a width that the matrix product likes: the row sums of the exponentials then
 *       fall out of the product with the values.
 *   <li>For each chunk: scores {@code q k^T}; their exponentials, in place, <em>without</em> subtracting the row's
 *       maximum first; the product with the values. Where there are many keys, part by part, and the products are summed.
 *   <li>Rows are checked after the fact. Where a sum or a product overflowed, or a sum is so small that exponentials
 *       were lost, the whole head is computed again with a full softmax, which is right for any input.
 *   <li>All rows are divided by their sums.
 * </ol>
 *
 * <p>Step 3 is as exact as softmax is: bf16 has fp32's range, and a score's rounding is relative to its size whether or
 * not a maximum is subtracted after it. So the check, not a bound made beforehand, decides.
 *
 * <p>Long sequences are spread over threads by heads, each thread keeping to its own cache; short ones leave the threads
 * to the single operations.
 */
final class ChunkedAttention {
    /** 2 MB of scores. Of 0.5 to 8 MB the best at 1,024 to 16,384 tokens and head sizes from 32 to 512, or near it. */
    private static final long CHUNK_ELEMENTS = 1 << 20;

    /**
     * Keys from which on a chunk looks at a part of them at a time, so that it has rows enough: the matrix products first
     * arrange their keys and values for their kernels, whatever the number of rows.
     */
    private static final long MOST_KEYS = 1 << 12;

    /** Scores from which on handing heads to threads is worth its price: about 10 ms of work. */
    private static final long SPREAD_ELEMENTS = 1 << 23;

    /** Terms may have been lost in a row with a smaller sum: its scores are under {@code -100 ln 2} throughout. */
    private static final double SMALLEST_SUM = 0x1p-100;

    /** Elements of a vector register: products of such a width are no slower than of a few columns less. */
    private static final long REGISTER = 16;

    private static final double LOG2_E = 1 / Math.log(2);

    private final Tensor queries; // [B * heads, N, d], scaled
    private final Tensor keys; // [B * heads, d, M]
    private final Tensor values; // [B * heads, M, W]: values and ones
    private final Optional<Tensor> mask; // [N, M], scaled
    private final Tensor products; // [B * heads, N, W]: weighted values and row sums, to be computed
    private final long size; // d

    private ChunkedAttention(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
        long batch = q.size(0);
        long heads = q.size(1);
        this.size = q.size(3);
        Tensor scaled = q.new_empty(batch, heads, q.size(2), size);
        torch.mul_out(scaled, q, new Scalar(LOG2_E / Math.sqrt(size)));
        this.queries = scaled.flatten(0, 1);
        this.keys = k.contiguous().flatten(0, 1).transpose(1, 2);
        this.values = withOnes(v).flatten(0, 1);
        this.mask = mask.map(added -> added.mul(new Scalar(LOG2_E)));
        this.products = q.new_empty(batch * heads, q.size(2), values.size(2));
    }

    /**
     * @param q {@code [B, heads, N, d]}, with any strides
     * @param k {@code [B, heads, M, d]}
     * @param v {@code [B, heads, M, d]}
     * @param mask {@code [N, M]}, added to the scores
     * @return {@code [B, heads, N, d]}, a view of a contiguous {@code [B, N, heads, d]}
     */
    static Tensor attend(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
        try (var scope = TensorScope.open()) {
            ChunkedAttention attention = new ChunkedAttention(q, k, v, mask);
            attention.compute(Tensors.dtype(q) == ScalarType.Half); // whose range ends at 65,504
            Tensor out = q.new_empty(q.size(0), q.size(2), q.size(1), q.size(3)).transpose(1, 2);
            Tensor byHead = attention.products.view(q.size(0), q.size(1), q.size(2), -1);
            torch.div_out(out, attention.weightedValues(byHead), attention.rowSums(byHead));
            return scope.release(out);
        }
    }

    private Tensor withOnes(Tensor v) {
        Tensor wide = v.new_empty(v.size(0), v.size(1), v.size(2), (size / REGISTER + 1) * REGISTER);
        weightedValues(wide).copy_(v);
        Tensors.slice(wide, 3, size, wide.size(3)).fill_(new Scalar(1));
        return wide;
    }

    private Tensor weightedValues(Tensor products) {
        return Tensors.slice(products, products.dim() - 1, 0, size);
    }

    private Tensor rowSums(Tensor products) {
        return Tensors.slice(products, products.dim() - 1, size, size + 1);
    }

    private void compute(boolean softmax) {
        long heads = queries.size(0);
        boolean spread = heads * queries.size(1) * keys.size(2) >= SPREAD_ELEMENTS;
        Workers workers = spread ? Engine.start().workers() : Workers.NONE;
        workers.forEach(heads, head -> computeHead(head, softmax));
        if (!softmax && !isUsable(products)) {
            long[] failed = LongStream.range(0, heads)
                    .filter(head -> !inScope(() -> isUsable(products.select(0, head))))
                    .toArray();
            workers.forEach(failed.length, number -> computeHead(failed[(int) number], true));
        }
    }

    /** Whether all is finite and no row's sum too small, in {@code [..., N, W]}. */
    private boolean isUsable(Tensor products) {
        // The first comparison is false for NaN too.
        return products.abs().max().item_float() < Float.POSITIVE_INFINITY
                && rowSums(products).min().item_float() >= SMALLEST_SUM;
    }

    private static boolean inScope(BooleanSupplier check) {
        try (var scope = TensorScope.open()) {
            return check.getAsBoolean();
        }
    }

    private void computeHead(long head, boolean softmax) {
        try (var scope = TensorScope.open()) {
            long rows = queries.size(1);
            long parts = softmax ? 1 : (keys.size(2) + MOST_KEYS - 1) / MOST_KEYS;
            long width = (keys.size(2) + parts - 1) / parts; // keys in a part
            long chunk = Math.min(rows, Math.max(REGISTER, CHUNK_ELEMENTS / width / REGISTER * REGISTER));
            Tensor buffer = queries.new_empty(chunk * width);
            Tensor partial = queries.new_empty(parts, chunk, values.size(2));
            for (long from = 0; from < rows; from += chunk) {
                long to = Math.min(rows, from + chunk);
                try (var chunkScope = TensorScope.open()) {
                    Tensor product = Tensors.slice(products.select(0, head), 0, from, to); // [rows, W]
                    if (parts == 1) {
                        computePart(head, from, to, 0, keys.size(2), buffer, softmax, product);
                        continue;
                    }
                    Tensor sums = Tensors.slice(partial, 1, 0, to - from); // [parts, rows, W]
                    for (long part = 0; part < parts; part++) {
                        long end = Math.min(keys.size(2), (part + 1) * width);
                        computePart(head, from, to, part * width, end, buffer, false, sums.select(0, part));
                    }
                    torch.sum_out(product, sums, new long[] {0}, false, new ScalarTypeOptional());
                }
            }
        }
    }

    /** Rows {@code from} to {@code to} of a head's queries with the keys from {@code first} to {@code end}. */
    private void computePart(
            long head, long from, long to, long first, long end, Tensor buffer, boolean softmax, Tensor product) {
        try (var scope = TensorScope.open()) {
            Tensor q = Tensors.slice(queries.select(0, head), 0, from, to); // [rows, d]
            Tensor k = Tensors.slice(keys.select(0, head), 1, first, end); // [d, keys]
            Tensor v = Tensors.slice(values.select(0, head), 0, first, end); // [keys, W]
            Tensor scores =
                    Tensors.slice(buffer, 0, 0, (to - from) * (end - first)).view(to - from, end - first);
            torch.mm_out(scores, q, k);
            if (mask.isPresent()) {
                scores.add_(Tensors.slice(Tensors.slice(mask.get(), 0, from, to), 1, first, end));
            }
            if (softmax) {
                scores.sub_(scores.amax(new long[] {1}, true)).exp2_();
                scores.div_(scores.sum(new long[] {1}, true, new ScalarTypeOptional()));
            } else {
                scores.exp2_();
            }
            torch.mm_out(product, scores, v);
        }
    }
}
