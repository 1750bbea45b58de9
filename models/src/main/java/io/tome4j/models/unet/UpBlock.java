package io.tome4j.models.unet;

import io.tome4j.merging.MergeContext;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A level on the way up, {@code CrossAttnUpBlock2D} or {@code UpBlock2D}. */
final class UpBlock {
    private final List<ResnetBlock2D> resnets = new ArrayList<>();
    private final List<Transformer2DModel> attentions = new ArrayList<>(); // empty or one a residual block
    private final @Nullable Conv2d upsampler; // none at the last block

    UpBlock(Weights weights, UNetLayout.Block block, UNetConfig config, AttentionKernel kernel) {
        for (int i = 0; i < block.stages().size(); i++) {
            resnets.add(ResnetBlock2D.of(weights, block, i, config));
            if (block.stages().get(i).attends()) {
                attentions.add(Transformer2DModel.of(weights, block, i, config, kernel));
            }
        }
        this.upsampler =
                block.resamples() ? Conv2d.of3x3(weights.scope("upsamplers.0.conv"), block.out(), block.out()) : null;
    }

    List<ResnetBlock2D> resnets() {
        return resnets;
    }

    List<Transformer2DModel> attentions() {
        return attentions;
    }

    /**
     * The first stages alone.
     *
     * @param x {@code [B, previous, H, W]}
     * @param count how many, at least 1
     * @param skips the way down's results; one a stage is taken from its end
     * @return {@code [B, out, H, W]}
     */
    Tensor stages(Tensor x, int count, Conditioning.Step step, MergeContext context, List<Tensor> skips) {
        try (var scope = TensorScope.open()) {
            return scope.release(through(x, 0, count, step, context, skips));
        }
    }

    /**
     * @param x {@code [B, previous, H, W]}, or what the stage before {@code from} gave
     * @param from the first stage that runs
     * @param skips the way down's results; one a stage is taken from its end
     * @return {@code [B, out, H', W']}: the size of the next skip, or {@code H, W} at the last block
     */
    Tensor forward(Tensor x, int from, Conditioning.Step step, MergeContext context, List<Tensor> skips) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = through(x, from, resnets.size(), step, context, skips);
            if (upsampler != null) {
                // Twice the size, but for odd sizes, which the way down rounded up.
                Tensor next = skips.get(skips.size() - 1);
                hidden = upsampler.forward(torch.upsample_nearest2d(hidden, new long[] {next.size(2), next.size(3)}));
            }
            return scope.release(hidden);
        }
    }

    private Tensor through(
            Tensor x, int from, int to, Conditioning.Step step, MergeContext context, List<Tensor> skips) {
        Tensor hidden = x;
        for (int i = from; i < to; i++) {
            Tensor skip = skips.remove(skips.size() - 1);
            hidden = resnets.get(i).forward(Tensors.cat(1, hidden, skip), step);
            if (!attentions.isEmpty()) {
                hidden = attentions.get(i).forward(hidden, step, context);
            }
        }
        return hidden;
    }
}
