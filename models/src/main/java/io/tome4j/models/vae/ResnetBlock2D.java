package io.tome4j.models.vae;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A residual block of two convolutions. */
final class ResnetBlock2D {
    private final GroupNorm norm1;
    private final Conv2d conv1;
    private final GroupNorm norm2;
    private final Conv2d conv2;
    private final @Nullable Conv2d convShortcut; // where the channels change

    ResnetBlock2D(Weights weights, VaeConfig config, int in, int out) {
        this.norm1 = GroupNorm.of(weights.scope("norm1"), config.normNumGroups(), in, VaeConfig.NORM_EPS);
        this.conv1 = Conv2d.of3x3(weights.scope("conv1"), in, out);
        this.norm2 = GroupNorm.of(weights.scope("norm2"), config.normNumGroups(), out, VaeConfig.NORM_EPS);
        this.conv2 = Conv2d.of3x3(weights.scope("conv2"), out, out);
        this.convShortcut = in == out ? null : Conv2d.of1x1(weights.scope("conv_shortcut"), in, out);
    }

    /**
     * @param x {@code [B, in, H, W]}
     * @return {@code [B, out, H, W]}
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = half(norm1, conv1, x);
            hidden = Freeing.replace(hidden, half(norm2, conv2, hidden));
            hidden.add_(convShortcut == null ? x : convShortcut.forward(x));
            return scope.release(hidden);
        }
    }

    private static Tensor half(GroupNorm norm, Conv2d conv, Tensor x) {
        try (var scope = TensorScope.open()) {
            return scope.release(conv.forward(torch.silu_(norm.forward(x))));
        }
    }
}
