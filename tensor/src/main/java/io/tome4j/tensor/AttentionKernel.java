package io.tome4j.tensor;

import java.util.Optional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Multi-head attention, {@code softmax(q k^T / sqrt(d) + mask) v}, by one of two ways with the same result but for
 * rounding.
 */
public enum AttentionKernel {
    /**
     * The whole score matrix at once, {@code B x heads x N x M} elements: what the reference calls vanilla. In half
     * precision the softmax is taken in the same precision.
     */
    NAIVE {
        @Override
        Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
            Tensor scores = torch.matmul(q.mul(scale(q)), k.transpose(-1, -2)); // [B, heads, N, M]
            mask.ifPresent(scores::add_);
            return torch.matmul(torch.softmax(scores, -1), v);
        }
    },

    /**
     * Memory-efficient: never more than a few rows of scores at a time, in the way of what xFormers is to the
     * reference. In fp32 and on CUDA libtorch's fused kernel; in half precision on a CPU, where that kernel has no fast
     * matrix product, head by head in row chunks whose scores stay in the cache.
     */
    EFFICIENT {
        @Override
        Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask) {
            boolean halfOnCpu = q.is_cpu() && Tensors.dtype(q) != ScalarType.Float;
            return halfOnCpu ? ChunkedAttention.attend(q, k, v, mask) : attendFused(q, k, v, mask);
        }
    };

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

    private Tensor attend(Tensor q, Tensor k, Tensor v, long heads, Optional<Tensor> mask) {
        try (var scope = TensorScope.open();
                var section = Profile.section(Profile.Part.ATTENTION, () -> 4 * q.numel() * k.size(1))) {
            Tensor out = attendHeads(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), mask);
            return scope.release(out.transpose(1, 2).reshape(q.size(0), q.size(1), q.size(2)));
        }
    }

    /** On {@code [B, heads, N, d]}, {@code [B, heads, M, d]} twice; returns {@code [B, heads, N, d]}. */
    abstract Tensor attendHeads(Tensor q, Tensor k, Tensor v, Optional<Tensor> mask);

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
