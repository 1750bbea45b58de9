package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Keeps the tokens of a coarser grid, the nearest neighbour of each of its points, and drops the others: what ToDo does
 * to keys and values (arXiv 2402.13573, section 3).
 */
final class GridSampling implements TokenReduction {
    private final long[] tokens;

    private GridSampling(long[] tokens) {
        this.tokens = tokens;
    }

    static GridSampling of(TokenGrid grid, double ratio) {
        TokenGrid coarse = coarse(grid, ratio);
        long[] tokens = new long[coarse.tokens()];
        for (int y = 0; y < coarse.height(); y++) {
            for (int x = 0; x < coarse.width(); x++) {
                int row = (int) ((long) y * grid.height() / coarse.height());
                int column = (int) ((long) x * grid.width() / coarse.width());
                tokens[y * coarse.width() + x] = (long) row * grid.width() + column;
            }
        }
        return new GridSampling(tokens);
    }

    /**
     * The grid that is left: both sides are downsampled by {@code 1 / sqrt(1 - ratio)}, so that {@code ratio} of the
     * tokens go. The paper's factors 2, 3 and 4 are ratios of 3/4, 8/9 and 15/16.
     */
    static TokenGrid coarse(TokenGrid grid, double ratio) {
        double side = Math.sqrt(1 - ratio);
        return new TokenGrid((int) Math.max(1, Math.round(grid.height() * side)), (int)
                Math.max(1, Math.round(grid.width() * side)));
    }

    @Override
    public Tensor merge(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor index = Tensors.of(tokens, tokens.length).to(x.device(), ScalarType.Long);
            return scope.release(x.index_select(1, index));
        }
    }
}
