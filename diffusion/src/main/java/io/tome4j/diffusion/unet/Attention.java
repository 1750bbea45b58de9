package io.tome4j.diffusion.unet;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Multi-head attention with its projections: among an image's tokens, or from them to the text. */
final class Attention {
    private final Linear projection; // self-attention: queries, keys, values; cross-attention: queries
    private final Linear textProjection; // cross-attention: keys, values
    private final boolean self;
    private final Linear toOut;
    private final int channels;
    private final int heads;
    private final AttentionKernel kernel;

    private Attention(
            Linear projection,
            Linear textProjection,
            boolean self,
            Weights weights,
            int channels,
            int heads,
            AttentionKernel kernel) {
        this.projection = projection;
        this.textProjection = textProjection;
        this.self = self;
        this.toOut = Linear.of(weights.scope("to_out.0"), channels, channels);
        this.channels = channels;
        this.heads = heads;
        this.kernel = kernel;
    }

    static Attention self(Weights weights, int channels, int heads, AttentionKernel kernel) {
        Linear joined =
                Linear.joined(weights, List.of("to_q.weight", "to_k.weight", "to_v.weight"), channels, channels);
        return new Attention(joined, joined, true, weights, channels, heads, kernel);
    }

    static Attention cross(Weights weights, int channels, int textSize, int heads, AttentionKernel kernel) {
        Linear queries = Linear.withoutBias(weights.scope("to_q"), channels, channels);
        Linear joined = Linear.joined(weights, List.of("to_k.weight", "to_v.weight"), textSize, channels);
        return new Attention(queries, joined, false, weights, channels, heads, kernel);
    }

    /**
     * @param x {@code [B, N, C]}
     * @param text {@code [B, M, D]}; self-attention does not look at it
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x, Tensor text) {
        try (var scope = TensorScope.open()) {
            Tensor projected = projection.forward(x); // [B, N, 3C] or [B, N, C]
            Tensor queries = self ? part(projected, 0) : projected;
            Tensor pairs = self ? Tensors.slice(projected, 2, channels, 3L * channels) : textProjection.forward(text);
            return scope.release(toOut.forward(kernel.attend(queries, part(pairs, 0), part(pairs, 1), heads)));
        }
    }

    private Tensor part(Tensor joined, int number) {
        return Tensors.slice(joined, 2, (long) number * channels, (number + 1L) * channels);
    }
}
