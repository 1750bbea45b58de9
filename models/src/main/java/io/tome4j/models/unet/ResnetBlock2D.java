package io.tome4j.models.unet;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A residual block: two convolutions, with the time embedding added between them. */
final class ResnetBlock2D {
    private final GroupNorm norm1;
    private final Conv2d conv1;
    private final Linear timeEmbProj;
    private final GroupNorm norm2;
    private final Conv2d conv2;
    private final @Nullable Conv2d convShortcut; // where the channels change

    private ResnetBlock2D(Weights weights, UNetConfig config, int in, int out) {
        this.norm1 = GroupNorm.of(weights.scope("norm1"), config.normNumGroups(), in, config.normEps());
        this.conv1 = Conv2d.of3x3(weights.scope("conv1"), in, out);
        this.timeEmbProj = Linear.of(weights.scope("time_emb_proj"), config.timeEmbeddingSize(), out);
        this.norm2 = GroupNorm.of(weights.scope("norm2"), config.normNumGroups(), out, config.normEps());
        this.conv2 = Conv2d.of3x3(weights.scope("conv2"), out, out);
        this.convShortcut = in == out ? null : Conv2d.of1x1(weights.scope("conv_shortcut"), in, out);
    }

    /** The residual block of a stage. */
    static ResnetBlock2D of(Weights block, UNetLayout.Block layout, int number, UNetConfig config) {
        UNetLayout.Stage stage = layout.stages().get(number);
        return new ResnetBlock2D(block.scope("resnets." + number), config, stage.joined(), stage.out());
    }

    /**
     * @param activatedTimes time embeddings after their SiLU, {@code [timesteps, B or 1, T]}
     * @return what this block adds to its features at each of these times, {@code [timesteps, B or 1, out]}
     */
    Tensor projectTimes(Tensor activatedTimes) {
        return timeEmbProj.forward(activatedTimes);
    }

    /**
     * @param x {@code [B, in, H, W]}
     * @return {@code [B, out, H, W]}
     */
    Tensor forward(Tensor x, Conditioning.Step step) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = conv1.forward(torch.silu_(norm1.forward(x)));
            hidden.add_(step.time(this));
            hidden = conv2.forward(torch.silu_(norm2.forward(hidden)));
            return scope.release(hidden.add_(convShortcut == null ? x : convShortcut.forward(x)));
        }
    }
}
