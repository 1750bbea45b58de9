package io.tome4j.diffusion.unet;

import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The feed-forward layers of a transformer block, gated by a GELU (GEGLU, arXiv 2002.05202). */
final class FeedForward {
    private final Linear proj; // to values and gates
    private final Linear out;
    private final long inner;

    FeedForward(Weights weights, int channels) {
        this.inner = 4L * channels;
        this.proj = Linear.of(weights.scope("net.0.proj"), channels, 2 * inner);
        this.out = Linear.of(weights.scope("net.2"), inner, channels);
    }

    /**
     * @param x {@code [B, N, C]}
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor both = proj.forward(x); // [B, N, 2 * inner]
            Tensor gate = torch.gelu(Tensors.slice(both, 2, inner, 2 * inner));
            return scope.release(out.forward(gate.mul_(Tensors.slice(both, 2, 0, inner))));
        }
    }
}
