package io.tome4j.diffusion.scheduler;

import static io.tome4j.diffusion.scheduler.LatentMath.times;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A path of Brownian motion that is the same however it is asked for: halved down a binary tree, each half by a bridge
 * whose noise is drawn from a seed of its own (arXiv 2105.13493, section 4). The numbers are those of torchsde's {@code
 * BrownianInterval} with a halfway tree and a tolerance of 1e-6, which diffusers uses. Nothing is kept: an increment is
 * found again from the path's seed.
 */
final class BrownianPath {
    private static final int DIGITS = 6; // to which times are rounded

    private final long seed;
    private final double first;
    private final double last;
    private final Tensor like;

    /**
     * @param seed of the path
     * @param first the lowest noise level
     * @param last the highest
     * @param like of the shape and the place of what is drawn
     */
    BrownianPath(long seed, float first, float last, Tensor like) {
        this.seed = seed;
        this.first = first;
        this.last = last;
        this.like = like;
    }

    /** Draws a path's seed as the reference does: {@code torch.randint(0, 2 ** 63 - 1, [])}. */
    static long drawSeed(Generator generator) {
        try (var scope = TensorScope.open()) {
            return torch.randint(0, Long.MAX_VALUE, new long[] {}, new GeneratorOptional(generator))
                    .item_long();
        }
    }

    /** The path's increment from one noise level to a lower one, of variance one; in the open scope. */
    Tensor noise(float from, float to) {
        try (var scope = TensorScope.open()) {
            float root = (float) Math.sqrt(Math.abs(to - from));
            Tensor increment = LatentMath.over(times(between(to, from), -1), root);
            return scope.release(like.is_cuda() ? increment.to(like.device(), like.scalar_type()) : increment);
        }
    }

    /** The increment from {@code low} to {@code high}. */
    private Tensor between(double low, double high) {
        double start = rounded(first);
        double end = rounded(last);
        Tensor whole = normal(SeedSequence.of(seed)[0]).mul(new Scalar(Math.sqrt(last - first)));
        double from = rounded(Math.min(Math.max(low, start), end));
        double to = rounded(Math.min(Math.max(high, start), end));
        return from == to ? whole.mul(new Scalar(0.0)) : part(whole, start, end, 0, 0, from, to);
    }

    /**
     * What of a node's increment lies between two times.
     *
     * @param node the increment from {@code start} to {@code end}
     * @param place the node's number in its level, from 0
     * @param level from 0
     */
    private Tensor part(Tensor node, double start, double end, long place, int level, double from, double to) {
        if (from == start && to == end) {
            return node;
        }
        double middle = rounded(0.5 * (end + start));
        double share = 1 / (end - start);
        Tensor bridge = normal(SeedSequence.of(seed, place, level)[0])
                .mul(new Scalar(Math.sqrt((middle - start) * (end - middle) * share)));
        Tensor left =
                node.mul(new Scalar(middle - start)).mul(new Scalar(share)).add(bridge);
        if (to <= middle) {
            return part(left, start, middle, 2 * place, level + 1, from, to);
        }
        Tensor right = node.sub(left);
        if (from >= middle) {
            return part(right, middle, end, 2 * place + 1, level + 1, from, to);
        }
        return part(left, start, middle, 2 * place, level + 1, from, middle)
                .add(part(right, middle, end, 2 * place + 1, level + 1, middle, to));
    }

    private Tensor normal(long seedOfNode) {
        try (var scope = TensorScope.open();
                Generator generator = Tensors.generator(seedOfNode)) {
            return scope.release(Tensors.randn(generator, Tensors.shape(like)));
        }
    }

    private static double rounded(double time) {
        return new BigDecimal(time).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
    }
}
