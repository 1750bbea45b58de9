package io.tome4j.diffusion.unet;

import io.tome4j.merging.AttentionMerge;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Multi-head attention with its projections: among an image's tokens, or from them to the text. */
final class Attention {
    private final Linear toQueries;
    private final Linear toPairs; // keys and values
    private final Linear toAll; // self-attention: queries, keys and values, with the same weights
    private final Linear toOut;
    private final int channels;
    private final int heads;
    private final AttentionKernel kernel;

    private Attention(
            Linear toQueries,
            Linear toPairs,
            Linear toAll,
            Weights weights,
            int channels,
            int heads,
            AttentionKernel kernel) {
        this.toQueries = toQueries;
        this.toPairs = toPairs;
        this.toAll = toAll;
        this.toOut = Linear.of(weights.scope("to_out.0"), channels, channels);
        this.channels = channels;
        this.heads = heads;
        this.kernel = kernel;
    }

    static Attention self(Weights weights, int channels, int heads, AttentionKernel kernel) {
        Tensor weight = weights.takeJoined(List.of("to_q.weight", "to_k.weight", "to_v.weight"), channels, channels);
        Linear toQueries = rows(weights, weight, 0, channels);
        Linear toPairs = rows(weights, weight, channels, 3L * channels);
        return new Attention(toQueries, toPairs, Linear.withoutBias(weight), weights, channels, heads, kernel);
    }

    /** A layer over some of a weight's rows, which it shares. */
    private static Linear rows(Weights weights, Tensor weight, long from, long to) {
        try (var scope = TensorScope.open()) {
            return Linear.withoutBias(weights.own(scope.retain(Tensors.slice(weight, 0, from, to))));
        }
    }

    static Attention cross(Weights weights, int channels, int textSize, int heads, AttentionKernel kernel) {
        Linear toQueries = Linear.withoutBias(weights.scope("to_q"), channels, channels);
        Linear toPairs =
                Linear.withoutBias(weights.takeJoined(List.of("to_k.weight", "to_v.weight"), channels, textSize));
        return new Attention(toQueries, toPairs, toQueries, weights, channels, heads, kernel);
    }

    /**
     * Self-attention, as a merge has it see the tokens.
     *
     * @param tokens {@code [B, N, C]}
     * @return {@code [B, N', C]}, as many as {@link AttentionMerge#queries} leaves
     */
    Tensor forward(Tensor tokens, AttentionMerge merge) {
        try (var scope = TensorScope.open()) {
            Tensor merged = merge.queries().merge(tokens);
            Tensor queries;
            Tensor pairs;
            if (merge.seesOneSequence()) {
                Tensor all = toAll.forward(merged); // [B, N', 3C]
                queries = part(all, 0);
                pairs = Tensors.slice(all, 2, channels, 3L * channels);
            } else {
                queries = toQueries.forward(merged);
                pairs = toPairs.forward(merge.keys().merge(tokens));
            }
            return scope.release(toOut.forward(
                    merge.weights().attend(queries, part(pairs, 0), part(pairs, 1), heads, kernel::attend)));
        }
    }

    /**
     * Cross-attention.
     *
     * @param x {@code [B, N, C]}
     * @param text {@code [B, M, D]}
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x, Tensor text) {
        try (var scope = TensorScope.open()) {
            Tensor pairs = toPairs.forward(text);
            return scope.release(
                    toOut.forward(kernel.attend(toQueries.forward(x), part(pairs, 0), part(pairs, 1), heads)));
        }
    }

    private Tensor part(Tensor joined, int number) {
        return Tensors.slice(joined, 2, (long) number * channels, (number + 1L) * channels);
    }
}
