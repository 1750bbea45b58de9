package io.tome4j.models.upscale;

import io.tome4j.models.tiles.Tiles;
import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * ESRGAN's generator (arXiv 1809.00219, section 3.1), and Real-ESRGAN's (arXiv 2107.10833, section 3.4), which folds the
 * pixels of an image into channels first where it enlarges less than four times. Owns its weights.
 *
 * <ol>
 *   <li>A convolution makes features of the image.
 *   <li>Residual-in-residual dense blocks, each of three dense blocks of five convolutions, and a convolution after them
 *       change the features; what they give is added to the features.
 *   <li>The features are enlarged, twofold at a time, by repeating them, with a convolution after each.
 *   <li>Two convolutions make an image of them.
 * </ol>
 */
public final class RrdbNet implements AutoCloseable {
    /** Pixels along a side of what is enlarged at a time. */
    static final int TILE = 192;

    /** Pixels that tiles share: what lies farther away hardly matters. */
    private static final int OVERLAP = 16;

    private static final int COLOURS = 3;
    private static final double RESIDUAL = 0.2; // beta of the paper
    private static final double SLOPE = 0.2; // of the leaky rectifier, below zero

    private final Weights weights;
    private final RrdbConfig config;
    private final Conv2d first;
    private final List<List<DenseBlock>> blocks = new ArrayList<>();
    private final Conv2d afterBlocks;
    private final List<Conv2d> afterDoubling = new ArrayList<>();
    private final Conv2d large;
    private final Conv2d last;

    private RrdbNet(Weights weights, RrdbConfig config) {
        this.weights = weights;
        this.config = config;
        int width = config.features();
        this.first = Conv2d.of3x3(weights.scope("conv_first"), COLOURS * config.folded() * config.folded(), width);
        for (int i = 0; i < config.blocks(); i++) {
            Weights block = weights.scope("body." + i);
            blocks.add(List.of(
                    new DenseBlock(block.scope("rdb1"), config),
                    new DenseBlock(block.scope("rdb2"), config),
                    new DenseBlock(block.scope("rdb3"), config)));
        }
        this.afterBlocks = Conv2d.of3x3(weights.scope("conv_body"), width, width);
        for (int i = 1; i <= config.doublings(); i++) {
            afterDoubling.add(Conv2d.of3x3(weights.scope("conv_up" + i), width, width));
        }
        this.large = Conv2d.of3x3(weights.scope("conv_hr"), width, width);
        this.last = Conv2d.of3x3(weights.scope("conv_last"), width, COLOURS);
    }

    /**
     * Builds the network.
     *
     * @param weights the root view of the tensors under Real-ESRGAN's names; the network takes it over and frees it when it
     *     is closed, or here if this fails
     * @throws io.tome4j.tensor.TomeException if the tensors do not fit the config
     */
    public static RrdbNet of(Weights weights, RrdbConfig config) {
        try {
            RrdbNet net = new RrdbNet(weights, config);
            weights.requireAllTaken();
            return net;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** How many times wider and higher images become. */
    public int scale() {
        return config.scale();
    }

    /**
     * Enlarges an image, in overlapping tiles of 192x192 pixels where it is larger, so that memory stays bounded.
     *
     * @param image {@code [1, 3, h, w]} in [0, 1], in any dtype, on any device
     * @return {@code [1, 3, scale * h, scale * w]}, about in [0, 1] (not clamped), fp32 on the CPU, in the open scope
     * @throws IllegalArgumentException if the image has another shape
     */
    public Tensor enlarge(Tensor image) {
        if (image.dim() != 4 || image.size(0) != 1 || image.size(1) != COLOURS) {
            throw new IllegalArgumentException(
                    "An image of the shape " + Arrays.toString(Tensors.shape(image)) + " instead of [1, 3, h, w]");
        }
        try (var scope = TensorScope.open()) {
            Tiles tiles = Tiles.of(image.size(2), image.size(3), TILE, OVERLAP);
            Tensor enlarged = tiles.run(image.to(ScalarType.Float).cpu(), 1, scale(), COLOURS, this::tile);
            return scope.release(enlarged);
        }
    }

    private Tensor tile(Tensor image) {
        try (var scope = TensorScope.open()) {
            long height = image.size(2) * scale();
            long width = image.size(3) * scale();
            Tensor enlarged =
                    Placement.CPU_FP32.place(forward(weights.placement().place(folded(image))));
            Tensor cut = Tensors.slice(Tensors.slice(enlarged, 2, 0, height), 3, 0, width);
            return scope.release(cut.clone());
        }
    }

    /** The image with squares of pixels as channels; its right and lower edges are mirrored where a square lacks some. */
    private Tensor folded(Tensor image) {
        int side = config.folded();
        if (side == 1) {
            return image;
        }
        long right = Math.floorMod(-image.size(3), (long) side);
        long below = Math.floorMod(-image.size(2), (long) side);
        return torch.pixel_unshuffle(mirrored(mirrored(image, 3, right), 2, below), side);
    }

    /** One of the length 1 cannot be mirrored, and is repeated. */
    private static Tensor mirrored(Tensor image, int axis, long count) {
        Tensor whole = image;
        for (long i = 0; i < count; i++) {
            long from = Math.max(0, image.size(axis) - 2 - i);
            whole = Tensors.cat(axis, whole, Tensors.slice(image, axis, from, from + 1));
        }
        return whole;
    }

    /**
     * @param image {@code [1, 3 * folded^2, h, w]} in the model's placement
     * @return {@code [1, 3, 2^doublings * h, 2^doublings * w]}
     */
    private Tensor forward(Tensor image) {
        try (var scope = TensorScope.open()) {
            Tensor features = first.forward(image); // [1, C, h, w]
            Tensor changed = body(features);
            Tensor hidden = afterBlocks.forward(changed).add_(features);
            for (Conv2d convolution : afterDoubling) {
                hidden = doubled(hidden, convolution);
            }
            return scope.release(last.forward(rectified(large.forward(hidden))));
        }
    }

    /** Frees what is replaced: enlarged features are hundreds of megabytes. */
    private static Tensor doubled(Tensor features, Conv2d convolution) {
        try (var scope = TensorScope.open()) {
            Tensor repeated = torch.upsample_nearest2d(features, 2 * features.size(2), 2 * features.size(3));
            Tensor result = scope.release(rectified(convolution.forward(repeated)));
            features.close();
            return result;
        }
    }

    private Tensor body(Tensor features) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = changed(blocks.get(0), features);
            for (List<DenseBlock> block : blocks.subList(1, blocks.size())) {
                Tensor next = changed(block, hidden);
                hidden.close();
                hidden = next;
            }
            return scope.release(hidden);
        }
    }

    /** A residual-in-residual dense block. */
    private static Tensor changed(List<DenseBlock> block, Tensor features) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = block.get(0).forward(features);
            for (DenseBlock dense : block.subList(1, block.size())) {
                hidden = dense.forward(hidden);
            }
            return scope.release(hidden.mul_(new Scalar(RESIDUAL)).add_(features));
        }
    }

    private static Tensor rectified(Tensor x) {
        return torch.leaky_relu_(x, new Scalar(SLOPE));
    }

    /** Five convolutions, each of which sees what came in and what those before it gave. */
    private static final class DenseBlock {
        private static final int LAYERS = 5;

        private final List<Conv2d> layers = new ArrayList<>();

        DenseBlock(Weights weights, RrdbConfig config) {
            for (int i = 0; i < LAYERS; i++) {
                long in = config.features() + (long) i * config.growth();
                long out = i == LAYERS - 1 ? config.features() : config.growth();
                layers.add(Conv2d.of3x3(weights.scope("conv" + (i + 1)), in, out));
            }
        }

        Tensor forward(Tensor x) {
            try (var scope = TensorScope.open()) {
                List<Tensor> seen = new ArrayList<>(List.of(x));
                for (Conv2d layer : layers.subList(0, LAYERS - 1)) {
                    seen.add(rectified(layer.forward(joined(seen))));
                }
                Tensor result = layers.get(LAYERS - 1).forward(joined(seen));
                return scope.release(result.mul_(new Scalar(RESIDUAL)).add_(x));
            }
        }

        private static Tensor joined(List<Tensor> parts) {
            return parts.size() == 1 ? parts.get(0) : Tensors.cat(1, parts.toArray(Tensor[]::new));
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
