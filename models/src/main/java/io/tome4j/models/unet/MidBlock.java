package io.tome4j.models.unet;

import io.tome4j.merging.MergeContext;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** What lies between the way down and the way up, {@code UNetMidBlock2DCrossAttn}. */
final class MidBlock {
    private final ResnetBlock2D first;
    private final Transformer2DModel attention;
    private final ResnetBlock2D second;

    MidBlock(Weights weights, UNetLayout.Block block, UNetConfig config, AttentionKernel kernel) {
        this.first = ResnetBlock2D.of(weights, block, 0, config);
        this.attention = Transformer2DModel.of(weights, block, 0, config, kernel);
        this.second = ResnetBlock2D.of(weights, block, 1, config);
    }

    List<ResnetBlock2D> resnets() {
        return List.of(first, second);
    }

    Transformer2DModel attention() {
        return attention;
    }

    /**
     * @param x {@code [B, C, H, W]}
     * @return {@code [B, C, H, W]}
     */
    Tensor forward(Tensor x, Conditioning.Step step, MergeContext context) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = attention.forward(first.forward(x, step), step, context);
            return scope.release(second.forward(hidden, step));
        }
    }
}
