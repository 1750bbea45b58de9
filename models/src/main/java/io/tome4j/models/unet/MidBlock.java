package io.tome4j.models.unet;

import io.tome4j.merging.MergeContext;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** What lies between the way down and the way up: {@code UNetMidBlock2DCrossAttn}, {@code UNetMidBlock2D} or nothing. */
final class MidBlock {
    private final List<ResnetBlock2D> resnets = new ArrayList<>();
    private final List<Transformer2DModel> attentions = new ArrayList<>(); // after the first residual blocks

    MidBlock(Weights weights, UNetLayout.Block block, UNetConfig config, AttentionKernel kernel) {
        for (int i = 0; i < block.stages().size(); i++) {
            resnets.add(ResnetBlock2D.of(weights, block, i, config));
            if (block.stages().get(i).attends()) {
                attentions.add(Transformer2DModel.of(weights, block, i, config, kernel));
            }
        }
    }

    List<ResnetBlock2D> resnets() {
        return resnets;
    }

    List<Transformer2DModel> attentions() {
        return attentions;
    }

    /**
     * @param x {@code [B, C, H, W]}
     * @return {@code [B, C, H, W]}, {@code x} itself where there is nothing between
     */
    Tensor forward(Tensor x, Conditioning.Step step, MergeContext context) {
        if (resnets.isEmpty()) {
            return x;
        }
        try (var scope = TensorScope.open()) {
            Tensor hidden = x;
            for (int i = 0; i < resnets.size(); i++) {
                hidden = resnets.get(i).forward(hidden, step);
                if (i < attentions.size()) {
                    hidden = attentions.get(i).forward(hidden, step, context);
                }
            }
            return scope.release(hidden);
        }
    }
}
