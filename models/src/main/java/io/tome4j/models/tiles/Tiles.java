package io.tome4j.models.tiles;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A grid of overlapping tiles over an image, and the coding of an image tile by tile: so that no more than one tile's
 * activations are in memory, whatever the image's size. For an autoencoder tiles are counted in latents.
 *
 * <ol>
 *   <li>Along each side as few tiles of at most 64 latents (or as many as are said) as cover it with overlaps of a quarter tile; they are then
 *       shortened until they just do, so that none is a narrow strip without surroundings.
 *   <li>A coded tile is weighted with a window: 1 inside, falling linearly to 0 over each overlap, while its
 *       neighbour's rises. The windows of all tiles add up to 1 everywhere.
 *   <li>The result is the sum of the weighted tiles.
 * </ol>
 */
public final class Tiles {
    /** Latents along a tile, at most. */
    public static final long SIZE = 64;

    /** Latents that neighbours share, at least: a quarter of a tile, as in the reference. */
    static final long OVERLAP = SIZE / 4;

    /** Latents {@code from} to {@code to} along one side. */
    record Span(long from, long to) {}

    private final List<Span> rows;
    private final List<Span> columns;

    /**
     * Tiles of 64x64 latents.
     *
     * @param height rows of latents
     * @param width columns of latents
     * @param tiled whether to divide them at all
     */
    public Tiles(long height, long width, boolean tiled) {
        this(
                tiled ? divide(height) : List.of(new Span(0, height)),
                tiled ? divide(width) : List.of(new Span(0, width)));
    }

    private Tiles(List<Span> rows, List<Span> columns) {
        this.rows = rows;
        this.columns = columns;
    }

    /**
     * Tiles of any size, which for pixels is another than for latents.
     *
     * @param size along a tile, at most
     * @param overlap what neighbours share, at least
     */
    public static Tiles of(long height, long width, long size, long overlap) {
        return new Tiles(divide(height, size, overlap), divide(width, size, overlap));
    }

    /** Divides {@code length} latents into spans of nearly equal length. */
    static List<Span> divide(long length) {
        return divide(length, SIZE, OVERLAP);
    }

    private static List<Span> divide(long length, long largest, long overlap) {
        if (length <= largest) {
            return List.of(new Span(0, length));
        }
        long count = ceilDiv(length - overlap, largest - overlap);
        long size = ceilDiv(length + (count - 1) * overlap, count);
        List<Span> spans = new ArrayList<>();
        for (long number = 0; number < count; number++) {
            long from = number * (length - size) / (count - 1);
            spans.add(new Span(from, from + size));
        }
        return spans;
    }

    private static long ceilDiv(long a, long b) {
        return (a + b - 1) / b;
    }

    /**
     * Codes one image.
     *
     * @param x {@code [1, C, height * inScale, width * inScale]}
     * @param inScale elements of {@code x} along one side of a latent
     * @param outScale elements of the result along one side of a latent
     * @param channels channels of the result
     * @param code codes a tile of {@code x} into {@code [1, channels, ...]}, fp32
     * @return {@code [1, channels, height * outScale, width * outScale]}, fp32
     */
    public Tensor run(Tensor x, long inScale, long outScale, long channels, UnaryOperator<Tensor> code) {
        if (rows.size() == 1 && columns.size() == 1) {
            return code.apply(x);
        }
        try (var scope = TensorScope.open()) {
            Tensor sum = torch.zeros(
                    new long[] {1, channels, end(rows) * outScale, end(columns) * outScale},
                    new org.bytedeco.pytorch.TensorOptions(x.device()));
            for (int row = 0; row < rows.size(); row++) {
                for (int column = 0; column < columns.size(); column++) {
                    try (var tile = TensorScope.open()) {
                        Tensor coded = code.apply(part(x, rows.get(row), columns.get(column), inScale));
                        Tensor down = window(rows, row, outScale).to(x.device(), torch.ScalarType.Float);
                        Tensor across = window(columns, column, outScale).to(x.device(), torch.ScalarType.Float);
                        coded.mul_(down.view(1, 1, -1, 1)).mul_(across.view(1, 1, 1, -1));
                        part(sum, rows.get(row), columns.get(column), outScale).add_(coded);
                    }
                }
            }
            return scope.release(sum);
        }
    }

    private static long end(List<Span> spans) {
        return spans.get(spans.size() - 1).to();
    }

    private static Tensor part(Tensor x, Span rows, Span columns, long scale) {
        Tensor band = Tensors.slice(x, 2, rows.from() * scale, rows.to() * scale);
        return Tensors.slice(band, 3, columns.from() * scale, columns.to() * scale);
    }

    /** The weights of one span's elements, {@code [length * scale]}; those of all spans add up to 1 at each element. */
    private static Tensor window(List<Span> spans, int number, long scale) {
        Span span = spans.get(number);
        float[] weights = new float[(int) ((span.to() - span.from()) * scale)];
        long before = number == 0 ? 0 : (spans.get(number - 1).to() - span.from()) * scale;
        long after = number == spans.size() - 1
                ? 0
                : (span.to() - spans.get(number + 1).from()) * scale;
        for (int i = 0; i < weights.length; i++) {
            double rising = i < before ? (i + 0.5) / before : 1;
            int left = weights.length - i;
            double falling = left <= after ? (left - 0.5) / after : 1;
            weights[i] = (float) (rising * falling);
        }
        return Tensors.of(weights, weights.length);
    }
}
