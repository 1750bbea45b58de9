package io.tome4j.diffusion.text;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.LayerNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** One layer of the text encoder: self-attention and a feed-forward network, each on the normalised residual stream. */
final class ClipEncoderLayer {
    private final LayerNorm layerNorm1;
    private final Linear qProj;
    private final Linear kProj;
    private final Linear vProj;
    private final Linear outProj;
    private final LayerNorm layerNorm2;
    private final Linear fc1;
    private final Linear fc2;
    private final int heads;
    private final boolean quickGelu;
    private final AttentionKernel kernel;

    ClipEncoderLayer(Weights weights, ClipTextConfig config, AttentionKernel kernel) {
        int channels = config.hiddenSize();
        Weights attention = weights.scope("self_attn");
        this.layerNorm1 = LayerNorm.of(weights.scope("layer_norm1"), channels, config.layerNormEps());
        this.qProj = Linear.of(attention.scope("q_proj"), channels, channels);
        this.kProj = Linear.of(attention.scope("k_proj"), channels, channels);
        this.vProj = Linear.of(attention.scope("v_proj"), channels, channels);
        this.outProj = Linear.of(attention.scope("out_proj"), channels, channels);
        this.layerNorm2 = LayerNorm.of(weights.scope("layer_norm2"), channels, config.layerNormEps());
        this.fc1 = Linear.of(weights.scope("mlp.fc1"), channels, config.intermediateSize());
        this.fc2 = Linear.of(weights.scope("mlp.fc2"), config.intermediateSize(), channels);
        this.heads = config.numAttentionHeads();
        this.quickGelu = config.quickGelu();
        this.kernel = kernel;
    }

    /**
     * @param x {@code [B, N, C]}
     * @param mask {@code [N, N]}, added to the scores
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x, Tensor mask) {
        try (var scope = TensorScope.open()) {
            Tensor normed = layerNorm1.forward(x);
            Tensor attended =
                    kernel.attend(qProj.forward(normed), kProj.forward(normed), vProj.forward(normed), heads, mask);
            Tensor middle = outProj.forward(attended).add_(x);
            Tensor wide = fc1.forward(layerNorm2.forward(middle)); // [B, N, intermediate]
            return scope.release(fc2.forward(activate(wide)).add_(middle));
        }
    }

    private Tensor activate(Tensor x) {
        return quickGelu ? x.mul(torch.sigmoid_(x.mul(new Scalar(1.702)))) : torch.gelu(x);
    }
}
