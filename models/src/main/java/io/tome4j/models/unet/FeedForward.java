package io.tome4j.models.unet;

import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The feed-forward layers of a transformer block, gated by a GELU (GEGLU, arXiv 2002.05202). */
final class FeedForward {
    private final Linear values;
    private final Linear gates;
    private final Linear out;

    FeedForward(Weights weights, int channels) {
        long inner = 4L * channels;
        // Two layers of what is stored as one: contiguous results are much faster to go on with than halves of one.
        List<Linear> halves = Linear.split(weights.scope("net.0.proj"), channels, 2 * inner, 2);
        this.values = halves.get(0);
        this.gates = halves.get(1);
        this.out = Linear.of(weights.scope("net.2"), inner, channels);
    }

    /**
     * @param x {@code [B, N, C]}
     * @return {@code [B, N, C]}
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor gate = torch.gelu_(gates.forward(x)); // [B, N, 4C]
            return scope.release(out.forward(gate.mul_(values.forward(x))));
        }
    }
}
