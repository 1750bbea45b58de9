package io.tome4j.models.vae;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/** Self-attention of all pixels with a single head, on the residual stream. */
final class AttentionBlock {
    private static final Map<String, String> CURRENT =
            Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

    private static final Pattern OLD_NAME =
            Pattern.compile("(.*\\.attentions\\.\\d+\\.)(query|key|value|proj_attn)(\\.(?:weight|bias))");

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
        this.toQ = Linear.of(weights.scope("to_q"), channels, channels);
        this.toK = Linear.of(weights.scope("to_k"), channels, channels);
        this.toV = Linear.of(weights.scope("to_v"), channels, channels);
        this.toOut = Linear.of(weights.scope("to_out.0"), channels, channels);
    }

    /** Today's name of a tensor: checkpoints from before diffusers 0.12 have other ones here, SD 1.5's among them. */
    static String currentName(String name) {
        Matcher old = OLD_NAME.matcher(name);
        return old.matches() ? old.group(1) + CURRENT.get(old.group(2)) + old.group(3) : name;
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
