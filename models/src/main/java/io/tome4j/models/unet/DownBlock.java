package io.tome4j.models.unet;

import io.tome4j.merging.MergeContext;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** A level on the way down, {@code CrossAttnDownBlock2D} or {@code DownBlock2D}. */
final class DownBlock {
    private final List<ResnetBlock2D> resnets = new ArrayList<>();
    private final List<Transformer2DModel> attentions = new ArrayList<>(); // empty or one a residual block
    private final @Nullable Conv2d downsampler; // none at the last level

    DownBlock(Weights weights, UNetLayout.Block block, UNetConfig config, AttentionKernel kernel) {
        for (int i = 0; i < block.stages().size(); i++) {
            resnets.add(ResnetBlock2D.of(weights, block, i, config));
            if (block.stages().get(i).attends()) {
                attentions.add(Transformer2DModel.of(weights, block, i, config, kernel));
            }
        }
        this.downsampler = block.resamples()
                ? Conv2d.of(weights.scope("downsamplers.0.conv"), block.out(), block.out(), 3, 2, 1)
                : null;
    }

    List<ResnetBlock2D> resnets() {
        return resnets;
    }

    List<Transformer2DModel> attentions() {
        return attentions;
    }

    /**
     * @param x {@code [B, in, H, W]}
     * @param skips takes every intermediate result, for the way up; they belong to the caller's scope
     * @param added by T2I-Adapters: after the last transformer blocks, or, where there are none, to the block's result, which is
     *     its last skip connection, too
     * @return {@code [B, out, H/2, W/2]}, halves rounded up; at the last level {@code [B, out, H, W]}
     */
    Tensor forward(Tensor x, Conditioning.Step step, MergeContext context, List<Tensor> skips, Optional<Tensor> added) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = through(x, resnets.size(), step, context, skips, added, scope);
            if (downsampler != null) {
                hidden = scope.release(downsampler.forward(hidden));
                skips.add(hidden);
            }
            if (attentions.isEmpty() && added.isPresent()) {
                hidden = scope.release(hidden.add(added.get()));
                skips.set(skips.size() - 1, hidden);
            }
            return hidden;
        }
    }

    /**
     * The first stages alone.
     *
     * @param count how many
     * @param added as for {@link #forward}
     */
    void stages(
            Tensor x,
            int count,
            Conditioning.Step step,
            MergeContext context,
            List<Tensor> skips,
            Optional<Tensor> added) {
        try (var scope = TensorScope.open()) {
            through(x, count, step, context, skips, added, scope);
        }
    }

    private Tensor through(
            Tensor x,
            int count,
            Conditioning.Step step,
            MergeContext context,
            List<Tensor> skips,
            Optional<Tensor> added,
            TensorScope scope) {
        Tensor hidden = x;
        for (int i = 0; i < count; i++) {
            hidden = resnets.get(i).forward(hidden, step);
            if (!attentions.isEmpty()) {
                hidden = attentions.get(i).forward(hidden, step, context);
                hidden = i == resnets.size() - 1 && added.isPresent() ? hidden.add(added.get()) : hidden;
            }
            skips.add(scope.release(hidden));
        }
        return hidden;
    }
}
