package io.tome4j.merging;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.KeyBias;
import io.tome4j.tensor.TensorScope;
import org.bytedeco.pytorch.Tensor;

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

        /**
         * Attention with a number added to all scores of a key. Unless overridden, by {@link #attend(Tensor, Tensor,
         * Tensor, long)} with larger heads.
         *
         * @param bias {@code [B, M]}
         */
        default Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Tensor bias) {
            return KeyBias.attend(q, k, v, heads, bias, this::attend);
        }

        /** Attention by a kernel, which may add the numbers to the scores itself. */
        static Attention of(AttentionKernel kernel) {
            return new Attention() {
                @Override
                public Tensor attend(Tensor q, Tensor k, Tensor v, long heads) {
                    return kernel.attend(q, k, v, heads);
                }

                @Override
                public Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Tensor bias) {
                    return kernel.attendBiased(q, k, v, heads, bias);
                }
            };
        }
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
     * attention" (arXiv 2210.09461, section 3).
     *
     * @param sizes {@code [B, M, 1]}, at least 1
     */
    static KeyWeights bySize(Tensor sizes) {
        return (q, k, v, heads, attention) -> {
            try (var scope = TensorScope.open()) {
                return scope.release(
                        attention.attend(q, k, v, heads, sizes.log().squeeze(2)));
            }
        };
    }
}
