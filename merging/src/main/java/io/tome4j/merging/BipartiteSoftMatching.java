package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Bipartite soft matching: which tokens to merge (arXiv 2210.09461, section 3; with destinations drawn in two
 * dimensions, arXiv 2303.17604, section 4).
 */
public final class BipartiteSoftMatching {
    /** In what precision similarities are computed and compared. */
    public enum Precision {
        /** fp32 whatever the tokens are in: near-identical tokens tie in half precision. */
        FP32,
        /** The tokens' own dtype, as tomesd does. */
        INPUT
    }

    /** Scores computed at a time: 64 MB in fp32, so that the score matrix never stands in memory whole. */
    private static final long SCORES_AT_A_TIME = 1 << 24;

    /** What a token of nothing but zeros is divided by: it then resembles no other, and no NaN arises. */
    private static final double SHORTEST = 1e-12;

    private BipartiteSoftMatching() {}

    /**
     * Matches an image's tokens.
     *
     * <ol>
     *   <li>The grid is cut into cells of {@code sx} by {@code sy} tokens; one token of each is a destination, all
     *       others are sources. Cells that do not fit whole at the right and the bottom have no destination.
     *   <li>Each source is matched with the destination it is most similar to (cosine).
     *   <li>The {@code r} sources most similar to their destination are merged into it.
     * </ol>
     *
     * Destinations are the same for every image of the batch; matches are each image's own.
     *
     * @param metric what tokens are compared by, {@code [B, N, C]}, usually the tokens themselves
     * @param grid the tokens' rows and columns; {@code N} in all
     * @param sx a cell's width in tokens, at least 1
     * @param sy a cell's height in tokens, at least 1
     * @param r how many tokens to merge away; more than there are sources is all of them
     * @param draw draws the destinations
     * @return a {@link MergePlan} that belongs to the open scope, or {@link TokenMerge#NONE} where there is nothing to
     *     merge
     */
    public static TokenMerge random2d(
            Tensor metric, TokenGrid grid, int sx, int sy, long r, DestinationDraw draw, Precision precision) {
        if (metric.dim() != 3 || metric.size(1) != grid.tokens()) {
            throw new IllegalArgumentException("metric " + java.util.Arrays.toString(Tensors.shape(metric))
                    + " does not hold the " + grid.tokens() + " tokens of " + grid);
        }
        int cells = grid.destinations(sx, sy);
        long merged = Math.min(r, (long) grid.tokens() - cells);
        if (merged <= 0 || cells == 0) {
            return TokenMerge.NONE;
        }
        boolean[] isDestination = chooseDestinations(grid, sx, sy, draw.draw(cells, sx * sy));
        // The plan's tensors belong to the caller's scope: what is freed early is what the scores were made of.
        Tensor sources = tokensWhere(isDestination, false).to(metric.device(), ScalarType.Long);
        Tensor destinations = tokensWhere(isDestination, true).to(metric.device(), ScalarType.Long);
        Best best = mostSimilarDestination(metric, sources, destinations, precision);
        Tensor order = best.similarity().argsort(-1, true);
        return new MergePlan(sources, destinations, order, best.destination(), merged);
    }

    /** Step 1: marks one token of each whole cell. */
    private static boolean[] chooseDestinations(TokenGrid grid, int sx, int sy, long[] drawn) {
        boolean[] isDestination = new boolean[grid.tokens()];
        int columns = grid.width() / sx;
        for (int cell = 0; cell < drawn.length; cell++) {
            int y = cell / columns * sy + (int) drawn[cell] / sx;
            int x = cell % columns * sx + (int) drawn[cell] % sx;
            isDestination[y * grid.width() + x] = true;
        }
        return isDestination;
    }

    private static Tensor tokensWhere(boolean[] isDestination, boolean wanted) {
        long[] tokens = java.util.stream.IntStream.range(0, isDestination.length)
                .filter(token -> isDestination[token] == wanted)
                .asLongStream()
                .toArray();
        return Tensors.of(tokens, tokens.length);
    }

    /**
     * @param similarity {@code [B, S]} of each source to its destination
     * @param destination {@code [B, S]} its position among the destinations
     */
    private record Best(Tensor similarity, Tensor destination) {}

    /** Step 2, a slab of sources at a time: only each row's maximum is kept. */
    private static Best mostSimilarDestination(
            Tensor metric, Tensor sources, Tensor destinations, Precision precision) {
        try (var scope = TensorScope.open()) {
            Tensor features = precision == Precision.FP32 ? metric.to(ScalarType.Float) : metric;
            Tensor length = features.norm(new ScalarOptional(new Scalar(2)), new long[] {-1}, true);
            Tensor unit = features.div(length.clamp_min_(new Scalar(SHORTEST))); // [B, N, C]
            Tensor a = unit.index_select(1, sources); // [B, S, C]
            Tensor b = unit.index_select(1, destinations).transpose(-1, -2); // [B, C, D]
            long slab = Math.max(1, SCORES_AT_A_TIME / (metric.size(0) * destinations.size(0)));
            List<Tensor> similarities = new ArrayList<>();
            List<Tensor> positions = new ArrayList<>();
            for (long from = 0; from < a.size(1); from += slab) {
                try (var rows = TensorScope.open()) {
                    Tensor scores = torch.matmul(Tensors.slice(a, 1, from, Math.min(a.size(1), from + slab)), b);
                    T_TensorTensor_T best = scores.max(-1, false);
                    similarities.add(rows.release(new Tensor(best.get0())));
                    positions.add(rows.release(new Tensor(best.get1())));
                }
            }
            return new Best(
                    scope.release(Tensors.cat(1, similarities.toArray(Tensor[]::new))),
                    scope.release(Tensors.cat(1, positions.toArray(Tensor[]::new))));
        }
    }
}
