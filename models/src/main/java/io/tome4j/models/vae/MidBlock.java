package io.tome4j.models.vae;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** The block at the latents' resolution: attention between two residual blocks. */
final class MidBlock {
    private final ResnetBlock2D first;
    private final @Nullable AttentionBlock attention;
    private final ResnetBlock2D second;

    MidBlock(Weights weights, VaeConfig config, int channels) {
        this.first = new ResnetBlock2D(weights.scope("resnets.0"), config, channels, channels);
        this.attention = config.midBlockAddAttention()
                ? new AttentionBlock(weights.scope("attentions.0"), config, channels)
                : null;
        this.second = new ResnetBlock2D(weights.scope("resnets.1"), config, channels, channels);
    }

    /**
     * @param x {@code [B, C, H, W]}
     * @return the same shape
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = first.forward(x);
            if (attention != null) {
                hidden = Freeing.replace(hidden, attention.forward(hidden));
            }
            return scope.release(second.forward(hidden));
        }
    }
}
