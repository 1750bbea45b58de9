package io.tome4j.merging;

import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Workers;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Finds each source's most similar destination by cosine (arXiv 2210.09461, section 3), a tile of scores at a time.
 *
 * <ol>
 *   <li>The destinations are normalised once, a quarter of its tokens at the usual stride.
 *   <li>Sources are gathered and normalised tile by tile; a tile's scores are one matrix product, sources by all
 *       destinations, summed in fp32.
 *   <li>Of each row of a tile only the maximum and its place are kept.
 * </ol>
 *
 * So beside the result, memory holds the destinations and a tile for each thread, however many tokens there are. The
 * result does not depend on the size of the tiles. On a CPU each thread takes whole tiles, where otherwise every operation
 * would be split among the threads.
 */
final class StreamingMatcher {
    /** Scores in a tile: few enough for the cache, enough rows for the matrix product (see docs/measurements.md). */
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
            long images = metric.size(0);
            long rows = Math.max(1, Math.min(sources.size(0), tile / destinations.size(0)));
            long tiles = (sources.size(0) + rows - 1) / rows; // of an image
            Tensor[] candidates = LongStream.range(0, images)
                    .mapToObj(image -> normalised(metric.select(0, image).index_select(0, destinations))) // [D, C]
                    .toArray(Tensor[]::new);
            Tensor similarity = candidates[0].new_empty(images, sources.size(0));
            Tensor position = sources.new_empty(images, sources.size(0));
            Workers workers = metric.is_cpu() ? Engine.start().workers() : Workers.NONE;
            // Each part of the work has one buffer for its scores: memory that is new costs more than the maximum.
            long parts = Math.min(images * tiles, workers.count());
            Tensor[] buffers = LongStream.range(0, parts)
                    .mapToObj(part -> candidates[0].new_empty(rows, destinations.size(0)))
                    .toArray(Tensor[]::new);
            workers.forEach(parts, part -> {
                for (long number = part; number < images * tiles; number += parts) {
                    long image = number % images;
                    long from = number / images * rows;
                    long to = Math.min(sources.size(0), from + rows);
                    try (var tileScope = TensorScope.open()) {
                        Tensor scores = Tensors.slice(buffers[(int) part], 0, 0, to - from);
                        Tensor these = Tensors.slice(sources, 0, from, to);
                        score(
                                scores,
                                normalised(metric.select(0, image).index_select(0, these)),
                                candidates[(int) image]);
                        torch.max_out(
                                Tensors.slice(similarity.select(0, image), 0, from, to),
                                Tensors.slice(position.select(0, image), 0, from, to),
                                scores,
                                -1);
                    }
                }
            });
            // A NaN is more similar to nothing than anything else is: it must not upset how many are merged.
            Tensor usable = similarity.to(ScalarType.Float);
            usable = usable.masked_fill(usable.isnan(), new Scalar(-2));
            return new Best(scope.release(usable), scope.release(position));
        }
    }

    /** Computes {@code [rows, D]}, on a scale that is the same for all rows. */
    private void score(Tensor scores, Tensor queries, Tensor candidates) {
        if (precision != Precision.BF16) {
            torch.mm_out(scores, queries, candidates.t());
            return;
        }
        // The bias is added before the sum is rounded: cos - 1, whose rounding error shrinks with it.
        Tensor lessOne = candidates.new_full(new long[] {candidates.size(0)}, new Scalar(-1));
        torch.addmm_out(scores, lessOne, queries, candidates.t());
    }

    /** Rows of length 1, in the dtype that products are taken of. */
    private Tensor normalised(Tensor rows) {
        Tensor features = precision == Precision.INPUT ? rows : rows.to(ScalarType.Float);
        Tensor length = features.norm(new ScalarOptional(new Scalar(2)), new long[] {-1}, true);
        Tensor unit = features.div(length.clamp_min_(new Scalar(SHORTEST)));
        return precision == Precision.BF16 ? unit.to(ScalarType.BFloat16) : unit;
    }
}
