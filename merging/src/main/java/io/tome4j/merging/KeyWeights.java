package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** How much each key counts in attention. */
@FunctionalInterface
public interface KeyWeights {
    /** Each key counts as one. */
    KeyWeights EQUAL = (q, k, v, heads, attention) -> attention.attend(q, k, v, heads);

    /** Multi-head attention, scaled by {@code 1 / sqrt(d)} for heads of size {@code d}. */
    @FunctionalInterface
    interface Attention {
        /**
         * @param q {@code [B, N, C]}
         * @param k {@code [B, M, C]}
         * @param v {@code [B, M, C]}
         * @param heads a divisor of {@code C}
         * @return {@code [B, N, C]}
         */
        Tensor attend(Tensor q, Tensor k, Tensor v, long heads);
    }

    /**
     * Attention in which keys count as much as they should.
     *
     * @param attention computes it; may be called with heads of another size
     * @return {@code [B, N, C]}, as {@link Attention#attend}
     */
    Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Attention attention);

    /**
     * A key counts as often as it stands for a token: {@code softmax(q k^T / sqrt(d) + log(sizes)) v}, "proportional
     * attention" (arXiv 2210.09461, section 3). The logarithm is a further feature of each key, which all queries have
     * as a constant, so any attention kernel computes it.
     *
     * @param sizes {@code [B, M, 1]}, at least 1
     */
    static KeyWeights bySize(Tensor sizes) {
        return (q, k, v, heads, attention) -> {
            try (var scope = TensorScope.open()) {
                long size = q.size(2) / heads;
                long padded = (size / 8 + 1) * 8; // kernels like multiples of 8
                // The kernel divides by the root of what it takes for the heads' size.
                Tensor queries = pad(q.mul(new Scalar(Math.sqrt((double) padded / size))), heads, padded);
                Tensor keys = pad(k, heads, padded);
                column(queries, heads, size).fill_(new Scalar(Math.sqrt(padded)));
                column(keys, heads, size).copy_(sizes.log());
                Tensor attended =
                        attention.attend(queries, keys, pad(v, heads, padded), heads); // [B, N, heads * padded]
                return scope.release(
                        Tensors.slice(perHead(attended, heads), 3, 0, size).reshape(q.size(0), q.size(1), q.size(2)));
            }
        };
    }

    /** {@code [B, N, heads * d]} with zeros behind each head's features: {@code [B, N, heads * padded]}. */
    private static Tensor pad(Tensor x, long heads, long padded) {
        Tensor split = perHead(x, heads);
        return torch.constant_pad_nd(split, 0, padded - split.size(3)).reshape(x.size(0), x.size(1), heads * padded);
    }

    /** A feature of every head, {@code [B, N, heads]}: a view. */
    private static Tensor column(Tensor x, long heads, long feature) {
        return perHead(x, heads).select(3, feature);
    }

    private static Tensor perHead(Tensor x, long heads) {
        return x.view(x.size(0), x.size(1), heads, x.size(2) / heads);
    }
}
