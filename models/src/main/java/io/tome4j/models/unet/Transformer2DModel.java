package io.tome4j.models.unet;

import io.tome4j.merging.MergeContext;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Transformer blocks over a feature map, each position of which is a token. */
final class Transformer2DModel {
    private static final double EPS = 1e-6;

    private final GroupNorm norm;
    private final Linear projIn;
    private final List<BasicTransformerBlock> blocks = new ArrayList<>();
    private final Linear projOut;

    private Transformer2DModel(
            Weights weights, String name, UNetConfig config, int level, int layers, AttentionKernel kernel) {
        int channels = config.blockOutChannels().get(level);
        this.norm = GroupNorm.of(weights.scope("norm"), config.normNumGroups(), channels, EPS);
        this.projIn = projection(weights.scope("proj_in"), channels, config.useLinearProjection());
        for (int i = 0; i < layers; i++) {
            String blockName = "transformer_blocks." + i;
            blocks.add(new BasicTransformerBlock(
                    weights.scope(blockName),
                    name + "." + blockName,
                    1 << level,
                    channels,
                    config.heads().get(level),
                    config.crossAttentionDim(),
                    kernel));
        }
        this.projOut = projection(weights.scope("proj_out"), channels, config.useLinearProjection());
    }

    /** The transformer blocks of a stage. */
    static Transformer2DModel of(
            Weights block, UNetLayout.Block layout, int number, UNetConfig config, AttentionKernel kernel) {
        String name = "attentions." + number;
        int layers = layout.stages().get(number).transformers();
        return new Transformer2DModel(
                block.scope(name), layout.name() + "." + name, config, layout.level(), layers, kernel);
    }

    /** A 1x1 convolution over positions is a linear layer over tokens. */
    private static Linear projection(Weights weights, int channels, boolean linear) {
        return linear ? Linear.of(weights, channels, channels) : Linear.ofConv1x1(weights, channels, channels);
    }

    List<BasicTransformerBlock> blocks() {
        return blocks;
    }

    /**
     * @param x {@code [B, C, H, W]}
     * @return {@code [B, C, H, W]}
     */
    Tensor forward(Tensor x, Conditioning.Step step, MergeContext context) {
        long batch = x.size(0);
        long channels = x.size(1);
        TokenGrid grid = new TokenGrid((int) x.size(2), (int) x.size(3));
        try (var scope = TensorScope.open()) {
            Tensor tokens = projIn.forward(
                    norm.forward(x).permute(0, 2, 3, 1).reshape(batch, grid.tokens(), channels)); // [B, HW, C]
            for (BasicTransformerBlock block : blocks) {
                tokens = block.forward(tokens, step, grid, context);
            }
            return scope.release(projOut.forward(tokens)
                    .view(batch, grid.height(), grid.width(), channels)
                    .permute(0, 3, 1, 2)
                    .add_(x));
        }
    }
}
