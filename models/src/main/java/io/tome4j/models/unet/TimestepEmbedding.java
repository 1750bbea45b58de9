package io.tome4j.models.unet;

import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Two linear layers that give the vector which residual blocks see: of a timestep, or of what is added to it. */
final class TimestepEmbedding {
    private final Linear linear1;
    private final Linear linear2;

    /** @param in size of what comes in */
    TimestepEmbedding(Weights weights, int in, UNetConfig config) {
        this.linear1 = Linear.of(weights.scope("linear_1"), in, config.timeEmbeddingSize());
        this.linear2 = Linear.of(weights.scope("linear_2"), config.timeEmbeddingSize(), config.timeEmbeddingSize());
    }

    /**
     * @param x {@code [B, in]}, in the model's placement
     * @return {@code [B, T]}
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            return scope.release(linear2.forward(torch.silu_(linear1.forward(x))));
        }
    }
}
