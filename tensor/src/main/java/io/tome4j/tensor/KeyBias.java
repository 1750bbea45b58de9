package io.tome4j.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A number added to all scores of a key, by attention that knows of no such thing. The number is a further feature of
 * the key, which all queries have as a constant.
 */
public final class KeyBias {
    private KeyBias() {}

    /** Multi-head attention, scaled by {@code 1 / sqrt(d)} for heads of size {@code d}. */
    @FunctionalInterface
    public interface Attention {
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
     * {@code softmax(q k^T / sqrt(d) + bias) v}.
     *
     * @param q {@code [B, N, C]}
     * @param k {@code [B, M, C]}
     * @param v {@code [B, M, C]}
     * @param bias {@code [B, M]}
     * @param attention computes it, with larger heads
     * @return {@code [B, N, C]}
     */
    public static Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Tensor bias, Attention attention) {
        try (var scope = TensorScope.open()) {
            long size = q.size(2) / heads;
            long padded = (size / 8 + 1) * 8; // kernels like multiples of 8
            // The kernel divides by the root of what it takes for the heads' size.
            Tensor queries = pad(q.mul(new Scalar(Math.sqrt((double) padded / size))), heads, padded);
            Tensor keys = pad(k, heads, padded);
            column(queries, heads, size).fill_(new Scalar(Math.sqrt(padded)));
            column(keys, heads, size).copy_(bias.unsqueeze(2));
            Tensor attended = attention.attend(queries, keys, pad(v, heads, padded), heads); // [B, N, heads * padded]
            return scope.release(
                    Tensors.slice(perHead(attended, heads), 3, 0, size).reshape(q.size(0), q.size(1), q.size(2)));
        }
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
