package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Finds each source's most similar destination by cosine (arXiv 2210.09461, section 3), a tile of scores at a time.
 *
 * <ol>
 *   <li>An image's destinations are normalised once, a quarter of its tokens at the usual stride.
 *   <li>Sources are gathered and normalised tile by tile; a tile's scores are one matrix product, sources by all
 *       destinations, summed in fp32.
 *   <li>Of each row of a tile only the maximum and its place are kept.
 * </ol>
 *
 * So beside the result, memory holds the destinations and one tile, however many tokens there are. The result does not
 * depend on the size of the tiles.
 */
final class StreamingMatcher {
    /** Scores in a tile: few enough for the cache, enough rows for the matrix product (see ARCHITECTURE.md). */
    private static final long TILE_ON_CPU = 1 << 21;

    /** On a GPU the tile has to keep the device busy. */
    private static final long TILE_ON_GPU = 1 << 24;

    /** What a token of nothing but zeros is divided by: it then resembles no other, and no NaN arises. */
    private static final double SHORTEST = 1e-12;

    private final Precision precision;
    private final long tile;

    private StreamingMatcher(Precision precision, long tile) {
        this.precision = precision;
        this.tile = tile;
    }

    static StreamingMatcher of(Tensor metric, Precision precision) {
        return new StreamingMatcher(precision, metric.is_cpu() ? TILE_ON_CPU : TILE_ON_GPU);
    }

    static StreamingMatcher withTiles(Precision precision, long scores) {
        return new StreamingMatcher(precision, scores);
    }

    /**
     * @param metric {@code [B, N, C]}
     * @param sources {@code [S]} token numbers
     * @param destinations {@code [D]} token numbers
     */
    Best match(Tensor metric, Tensor sources, Tensor destinations) {
        try (var scope = TensorScope.open()) {
            TensorVector similarities = new TensorVector();
            TensorVector positions = new TensorVector();
            for (long b = 0; b < metric.size(0); b++) {
                matchImage(metric.select(0, b), sources, destinations, similarities, positions);
            }
            long[] shape = {metric.size(0), sources.size(0)};
            // A NaN is more similar to nothing than anything else is: it must not upset how many are merged.
            Tensor similarity = torch.cat(similarities, 0)
                    .view(shape)
                    .to(ScalarType.Float)
                    .nan_to_num_(new org.bytedeco.pytorch.DoubleOptional(-2), none(), none());
            return new Best(
                    scope.release(similarity),
                    scope.release(torch.cat(positions, 0).view(shape)));
        }
    }

    private static org.bytedeco.pytorch.DoubleOptional none() {
        return new org.bytedeco.pytorch.DoubleOptional();
    }

    /** Adds an image's tiles to the results, which belong to the scope around. */
    private void matchImage(
            Tensor tokens, // [N, C]
            Tensor sources,
            Tensor destinations,
            TensorVector similarities,
            TensorVector positions) {
        try (var scope = TensorScope.open()) {
            Tensor candidates = normalised(tokens.index_select(0, destinations)); // [D, C]
            Tensor lessOne =
                    torch.ones_like(Tensors.slice(candidates, 1, 0, 1)).neg_().view(-1); // [D]
            long rows = Math.max(1, tile / destinations.size(0));
            for (long from = 0; from < sources.size(0); from += rows) {
                try (var step = TensorScope.open()) {
                    Tensor part = Tensors.slice(sources, 0, from, Math.min(sources.size(0), from + rows));
                    Tensor queries = normalised(tokens.index_select(0, part));
                    // The bias is added before the sum is rounded: cos - 1, whose rounding error shrinks with it.
                    Tensor scores = precision == Precision.BF16
                            ? torch.linear(queries, candidates, new TensorOptional(lessOne))
                            : torch.mm(queries, candidates.t()); // [rows, D]
                    T_TensorTensor_T best = scores.max(-1, false);
                    similarities.push_back(best.get0());
                    positions.push_back(best.get1());
                }
            }
        }
    }

    /** Rows of length 1, in the dtype that products are taken of. */
    private Tensor normalised(Tensor rows) {
        Tensor features = precision == Precision.INPUT ? rows : rows.to(ScalarType.Float);
        Tensor length = features.norm(new ScalarOptional(new Scalar(2)), new long[] {-1}, true);
        Tensor unit = features.div(length.clamp_min_(new Scalar(SHORTEST)));
        return precision == Precision.BF16 ? unit.to(ScalarType.BFloat16) : unit;
    }
}
