package io.tome4j.models.unet;

import io.tome4j.merging.AttentionMerge;
import io.tome4j.merging.KeyWeights;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Multi-head attention with its projections: among an image's tokens, or from them to the text. */
final class Attention {
    private final Linear toQueries;
    private final Linear toPairs; // keys and values
    private final Linear toOut;
    private final int channels;
    private final int heads;
    private final AttentionKernel kernel;
    private final KeyWeights.Attention attention;

    private Attention(Weights weights, int channels, int keySize, int heads, AttentionKernel kernel) {
        this.toQueries = Linear.withoutBias(weights.scope("to_q"), channels, channels);
        this.toPairs = Linear.joined(weights, List.of("to_k.weight", "to_v.weight"), keySize, channels);
        this.toOut = Linear.of(weights.scope("to_out.0"), channels, channels);
        this.channels = channels;
        this.heads = heads;
        this.kernel = kernel;
        this.attention = KeyWeights.Attention.of(kernel);
    }

    static Attention self(Weights weights, int channels, int heads, AttentionKernel kernel) {
        return new Attention(weights, channels, channels, heads, kernel);
    }

    static Attention cross(Weights weights, int channels, int textSize, int heads, AttentionKernel kernel) {
        return new Attention(weights, channels, textSize, heads, kernel);
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
            Tensor seen = merge.seesOneSequence() ? merged : merge.keys().merge(tokens);
            Tensor queries = toQueries.forward(merged);
            Tensor pairs = toPairs.forward(seen); // [B, M, 2C]
            return scope.release(
                    toOut.forward(merge.weights().attend(queries, part(pairs, 0), part(pairs, 1), heads, attention)));
        }
    }

    /**
     * The keys and values of a text, for {@link #forwardCross}.
     *
     * @param text {@code [B, M, D]}
     * @return {@code [B, M, 2C]}
     */
    Tensor pairs(Tensor text) {
        return toPairs.forward(text);
    }

    /**
     * Cross-attention.
     *
     * @param x {@code [B, N, C]}
     * @param pairs the text's keys and values, {@code [B, M, 2C]}; several where rows have texts of different lengths, with
     *     {@code B} rows in all
     * @param images what is attended to besides, each apart, with the same queries
     * @return {@code [B, N, C]}
     */
    Tensor forwardCross(Tensor x, List<Tensor> pairs, List<ImagePrompt.Pairs> images) {
        try (var scope = TensorScope.open()) {
            Tensor queries = toQueries.forward(x);
            Tensor[] attended = new Tensor[pairs.size()];
            long row = 0;
            for (int i = 0; i < attended.length; i++) {
                Tensor ofRows = pairs.get(i);
                long end = row + ofRows.size(0);
                Tensor asking = attended.length == 1 ? queries : Tensors.slice(queries, 0, row, end);
                attended[i] = kernel.attend(asking, part(ofRows, 0), part(ofRows, 1), heads);
                row = end;
            }
            Tensor sum = attended.length == 1 ? attended[0] : Tensors.cat(0, attended);
            for (ImagePrompt.Pairs image : images) {
                Tensor seen = kernel.attend(queries, part(image.pairs(), 0), part(image.pairs(), 1), heads);
                sum = sum.add(seen, new Scalar(image.scale()));
            }
            return scope.release(toOut.forward(sum));
        }
    }

    private Tensor part(Tensor joined, int number) {
        return Tensors.slice(joined, 2, (long) number * channels, (number + 1L) * channels);
    }
}
