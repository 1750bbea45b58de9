package io.tome4j.models.vae;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;

/** Self-attention of all pixels with a single head, on the residual stream. */
final class AttentionBlock {
    private final int channels;
    private final GroupNorm groupNorm;
    private final Linear toQ;
    private final Linear toK;
    private final Linear toV;
    private final Linear toOut;

    AttentionBlock(Weights weights, VaeConfig config, int channels) {
        this.channels = channels;
        this.groupNorm =
                GroupNorm.of(weights.scope("group_norm"), config.normNumGroups(), channels, VaeConfig.NORM_EPS);
        this.toQ = projection(weights, "to_q", "query");
        this.toK = projection(weights, "to_k", "key");
        this.toV = projection(weights, "to_v", "value");
        this.toOut = projection(weights, "to_out.0", "proj_attn");
    }

    /** Checkpoints from before diffusers 0.12 have other names here, SD 1.5's among them. */
    private Linear projection(Weights weights, String name, String oldName) {
        boolean old = weights.has(oldName + ".weight");
        return Linear.of(weights.scope(old ? oldName : name), channels, channels);
    }

    /**
     * @param x {@code [B, C, H, W]}
     * @return the same shape
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            long batch = x.size(0);
            long height = x.size(2);
            long width = x.size(3);
            Tensor tokens = groupNorm.forward(x).permute(0, 2, 3, 1).reshape(batch, height * width, channels);
            // The scores of a whole image would be gigabytes: never the naive kernel here.
            Tensor attended = AttentionKernel.EFFICIENT.attend(
                    toQ.forward(tokens), toK.forward(tokens), toV.forward(tokens), 1); // [B, HW, C]
            Tensor out =
                    toOut.forward(attended).view(batch, height, width, channels).permute(0, 3, 1, 2);
            return scope.release(out.add_(x));
        }
    }
}
