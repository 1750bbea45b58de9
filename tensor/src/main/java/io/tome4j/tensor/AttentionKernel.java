package io.tome4j.tensor;

import io.tome4j.kernels.Kernels;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Multi-head attention, {@code softmax(q k^T / sqrt(d) + mask) v}, by one of several ways with the same result but
 * for rounding.
 */
public enum AttentionKernel {
    /**
     * The whole score matrix at once, {@code B x heads x N x M} elements: what the reference calls vanilla. In half
     * precision the softmax is taken in the same precision.
     */
    NAIVE {
        @Override
        Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
            Tensor scores = products(q.mul(scale(q)), k.transpose(-1, -2)); // [B, heads, N, M]
            mask.ifPresent(scores::add_);
            return products(torch.softmax(scores, -1), v);
        }

        /** {@code [B, heads, N, K]} times {@code [B, heads, K, M]}. OpenBLAS uses one thread, so fp32 is spread by heads. */
        private Tensor products(Tensor left, Tensor right) {
            if (!left.is_cpu() || Tensors.dtype(left) != ScalarType.Float) {
                return torch.matmul(left, right);
            }
            long heads = left.size(1);
            Tensor out = left.new_empty(left.size(0), heads, left.size(2), right.size(3));
            Engine.start().workers().forEach(left.size(0) * heads, number -> {
                try (var scope = TensorScope.open()) {
                    torch.mm_out(head(out, number), head(left, number), head(right, number));
                }
            });
            return out;
        }

        private Tensor head(Tensor x, long number) {
            return x.select(0, number / x.size(1)).select(0, number % x.size(1));
        }
    },

    /**
     * Memory-efficient: no score matrix, in the way of what xFormers is to the reference. In bf16 on a CPU that has the
     * instructions, a kernel of our own ({@code kernels/}); everywhere else as {@link #PORTABLE}.
     */
    EFFICIENT {
        @Override
        Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
            return FusedHeads.take(q, k, v, mask)
                    ? FusedHeads.attend(q, k, v, mask, Optional.empty())
                    : PORTABLE.attendHeads(q, k, v, mask);
        }

        @Override
        boolean addsBias(Tensor q, Tensor k, Tensor v) {
            return FusedHeads.take(q, k, v, Optional.empty());
        }

        @Override
        String describe() {
            return Kernels.here().attentionName();
        }
    },

    /**
     * Memory-efficient with libtorch's operations alone: never more than a few rows of scores at a time. In fp32 and on
     * CUDA libtorch's fused kernel; in half precision on a CPU, where that kernel has no fast matrix product, head by
     * head in row chunks whose scores stay in the cache; where a head has so few scores that all fit there, as
     * {@link #NAIVE}, which needs fewer calls.
     */
    PORTABLE {
        @Override
        Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
            if (!q.is_cpu() || Tensors.dtype(q) == ScalarType.Float) {
                return attendFused(q, k, v, mask);
            }
            boolean small = q.size(2) * k.size(2) < WORTH_CHUNKS;
            return small ? NAIVE.attendHeads(q, k, v, mask) : ChunkedAttention.attend(q, k, v, mask);
        }
    };

    /** Scores of a head from which on chunks are faster: 1,024 queries of a text's 77 keys are below, 4,096 above. */
    private static final long WORTH_CHUNKS = 1 << 17;

    /**
     * Attention without a mask.
     *
     * @param q queries, {@code [B, N, C]}
     * @param k keys, {@code [B, M, C]}
     * @param v values, {@code [B, M, C]}
     * @param heads a divisor of {@code C}
     * @return {@code [B, N, C]}
     */
    public Tensor attend(Tensor q, Tensor k, Tensor v, long heads) {
        return attend(q, k, v, heads, Optional.empty());
    }

    /**
     * Attention with a mask.
     *
     * @param mask added to the scores, {@code [N, M]}, in the dtype of {@code q}: 0 where attention is allowed, minus
     *     infinity where it is not
     */
    public Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Tensor mask) {
        return attend(q, k, v, heads, Optional.of(mask));
    }

    /**
     * Attention in which keys count differently.
     *
     * @param bias added to all scores of a key, {@code [B, M]}: the logarithm of how often the key counts
     */
    public Tensor attendBiased(Tensor q, Tensor k, Tensor v, long heads, Tensor bias) {
        Tensor[] split = {splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads)};
        if (!addsBias(split[0], split[1], split[2])) {
            return KeyBias.attend(q, k, v, heads, bias, this::attend);
        }
        return joined(q, k, () -> FusedHeads.attend(split[0], split[1], split[2], Optional.empty(), Optional.of(bias)));
    }

    private Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Optional<Tensor> mask) {
        return joined(q, k, () -> attendHeads(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), mask));
    }

    /** {@code [B, heads, N, d]} as {@code [B, N, C]}. */
    private static Tensor joined(Tensor q, Tensor k, Supplier<Tensor> heads) {
        try (var scope = TensorScope.open();
                var section = Profile.section(Profile.Part.ATTENTION, () -> 4 * q.numel() * k.size(1))) {
            Tensor out = heads.get();
            return scope.release(out.transpose(1, 2).reshape(q.size(0), q.size(1), q.size(2)));
        }
    }

    /** On {@code [B, heads, N, d]}, {@code [B, heads, M, d]} twice; returns {@code [B, heads, N, d]}. */
    abstract Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask);

    /** Whether a bias of the keys need not become a further feature of them. */
    boolean addsBias(Tensor q, Tensor k, Tensor v) {
        return false;
    }

    /** What computes bf16 on the CPU, for people. */
    String describe() {
        return name().toLowerCase(Locale.ROOT);
    }

    private static Tensor splitHeads(Tensor x, long heads) {
        return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
    }

    private static Scalar scale(Tensor q) {
        return new Scalar(1 / Math.sqrt(q.size(-1)));
    }

    private static Tensor attendFused(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
        return torch.scaled_dot_product_attention(
                q,
                k,
                v,
                mask.map(TensorOptional::new).orElseGet(TensorOptional::new),
                0,
                false,
                new DoubleOptional(),
                false);
    }
}
