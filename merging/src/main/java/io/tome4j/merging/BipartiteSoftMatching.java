package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Bipartite soft matching: which tokens to merge (arXiv 2210.09461, section 3; with destinations drawn in two
 * dimensions, arXiv 2303.17604, section 4).
 */
public final class BipartiteSoftMatching {
    /** Below all similarities, and below what stands for one that is no number. */
    private static final double LEAST = -3;

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
     * Destinations are the same for every image of the batch; matches are each image's own. Of sources equally similar
     * the first are merged.
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
        return random2d(metric, grid, sx, sy, r, draw, precision, 1, ProtectedTokens.NONE);
    }

    /**
     * Matches a batch that holds each image several times, as under classifier-free guidance: the copies of an image
     * share one matching, by the mean of their tokens.
     *
     * @param copies how often the batch holds each image, one set of all images after the other; a divisor of {@code B}
     * @param kept tokens that are neither destinations nor merged away
     */
    static TokenMerge random2d(
            Tensor metric,
            TokenGrid grid,
            int sx,
            int sy,
            long r,
            DestinationDraw draw,
            Precision precision,
            int copies,
            ProtectedTokens kept) {
        if (metric.dim() != 3 || metric.size(1) != grid.tokens()) {
            throw new IllegalArgumentException("metric " + java.util.Arrays.toString(Tensors.shape(metric))
                    + " does not hold the " + grid.tokens() + " tokens of " + grid);
        }
        int cells = grid.destinations(sx, sy);
        long merged = Math.min(r, kept.sources(grid, sx, sy));
        if (merged <= 0) {
            return TokenMerge.NONE;
        }
        boolean[] isKept = kept.at(grid);
        boolean[] isDestination = chooseDestinations(isKept, grid, sx, sy, draw.draw(cells, sx * sy));
        Tensor sources = tokensWhere(isDestination, false).to(metric.device(), ScalarType.Long);
        Tensor destinations = tokensWhere(isDestination, true).to(metric.device(), ScalarType.Long);
        StreamingMatcher matcher = StreamingMatcher.of(metric, precision);
        if (kept.isNone()) {
            return match(metric, sources, destinations, merged, copies, matcher);
        }
        Tensor keptSources = keptSources(isKept, isDestination, metric);
        return match(
                metric,
                sources,
                destinations,
                merged,
                copies,
                matcher,
                similarity -> similarity.masked_fill(keptSources, new Scalar(LEAST)));
    }

    /** Step 1: marks one token of each whole cell, but none that is kept. */
    private static boolean[] chooseDestinations(boolean[] isKept, TokenGrid grid, int sx, int sy, long[] drawn) {
        boolean[] isDestination = new boolean[grid.tokens()];
        for (int cell = 0; cell < drawn.length; cell++) {
            int token = ProtectedTokens.destination(isKept, grid, sx, sy, cell, (int) drawn[cell]);
            if (token >= 0) {
                isDestination[token] = true;
            }
        }
        return isDestination;
    }

    /** {@code [S]} bool: of each source whether it is kept. */
    private static Tensor keptSources(boolean[] isKept, boolean[] isDestination, Tensor metric) {
        long[] flags = java.util.stream.IntStream.range(0, isKept.length)
                .filter(token -> !isDestination[token])
                .mapToLong(token -> isKept[token] ? 1 : 0)
                .toArray();
        return Tensors.of(flags, flags.length).to(metric.device(), ScalarType.Bool);
    }

    private static Tensor tokensWhere(boolean[] isDestination, boolean wanted) {
        long[] tokens = java.util.stream.IntStream.range(0, isDestination.length)
                .filter(token -> isDestination[token] == wanted)
                .asLongStream()
                .toArray();
        return Tensors.of(tokens, tokens.length);
    }

    static MergePlan match(
            Tensor metric, Tensor sources, Tensor destinations, long merged, int copies, StreamingMatcher matcher) {
        return match(metric, sources, destinations, merged, copies, matcher, UnaryOperator.identity());
    }

    /** @param adjusted what counts of a similarity, {@code [B, S]} to the same */
    private static MergePlan match(
            Tensor metric,
            Tensor sources,
            Tensor destinations,
            long merged,
            int copies,
            StreamingMatcher matcher,
            UnaryOperator<Tensor> adjusted) {
        if (metric.size(0) % copies != 0) {
            throw new IllegalArgumentException(
                    "A batch of " + metric.size(0) + " does not hold each image " + copies + " times");
        }
        try (var scope = TensorScope.open()) {
            Best best = copies == 1
                    ? matcher.match(metric, sources, destinations)
                    : matcher.match(meanOfCopies(metric, copies), sources, destinations);
            Tensor merges = mostSimilar(adjusted.apply(best.similarity()), merged);
            return new MergePlan(
                            sources,
                            destinations,
                            merges.repeat(copies, 1),
                            best.destination().repeat(copies, 1),
                            merged)
                    .release(scope);
        }
    }

    /** {@code [copies * B, N, C]} to {@code [B, N, C]}. */
    private static Tensor meanOfCopies(Tensor metric, int copies) {
        return metric.reshape(copies, metric.size(0) / copies, metric.size(1), metric.size(2))
                .mean(new long[] {0}, false, new ScalarTypeOptional());
    }

    /** Step 3: {@code [B, S]}, true for each image's {@code r} largest; of equal ones the first are taken. */
    private static Tensor mostSimilar(Tensor similarity, long r) {
        Tensor threshold =
                similarity.kthvalue(similarity.size(1) - r + 1, 1, true).get0(); // [B, 1]
        Tensor above = similarity.gt(threshold);
        Tensor equal = similarity.eq(threshold);
        Tensor left = above.sum(1).unsqueeze(1).neg_().add_(new Scalar(r)); // [B, 1] how many of the equal ones
        return above.logical_or(equal.logical_and(equal.cumsum(1).le(left)));
    }
}
