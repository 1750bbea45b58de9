package io.tome4j.models.unet;

import io.tome4j.tensor.Linear;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Turns a timestep into the vector that residual blocks see: sines and cosines, then two linear layers. */
final class TimestepEmbedding {
    private static final double MAX_PERIOD = 10_000;

    private final Linear linear1;
    private final Linear linear2;
    private final UNetConfig config;
    private final Placement placement;

    TimestepEmbedding(Weights weights, UNetConfig config) {
        this.linear1 =
                Linear.of(weights.scope("linear_1"), config.blockOutChannels().get(0), config.timeEmbeddingSize());
        this.linear2 = Linear.of(weights.scope("linear_2"), config.timeEmbeddingSize(), config.timeEmbeddingSize());
        this.config = config;
        this.placement = weights.placement();
    }

    /**
     * @param timesteps each in [0, the number of training steps)
     * @return {@code [timesteps, T]}
     */
    Tensor forward(double... timesteps) {
        try (var scope = TensorScope.open()) {
            Tensor[] rows = Arrays.stream(timesteps).mapToObj(this::sinusoid).toArray(Tensor[]::new);
            Tensor sinusoids = placement.place(Tensors.cat(0, rows));
            return scope.release(linear2.forward(torch.silu_(linear1.forward(sinusoids))));
        }
    }

    /** {@code [1, C]} fp32: half sines, half cosines, and a zero where C is odd. */
    private Tensor sinusoid(double timestep) {
        int half = config.blockOutChannels().get(0) / 2;
        int sineOffset = config.flipSinToCos() ? half : 0;
        int cosineOffset = half - sineOffset;
        float[] values = new float[config.blockOutChannels().get(0)];
        for (int i = 0; i < half; i++) {
            // fp32 at each stage, as the reference computes it
            float exponent = (float) -Math.log(MAX_PERIOD) * i / (half - config.freqShift());
            float angle = (float) timestep * (float) Math.exp(exponent);
            values[sineOffset + i] = (float) Math.sin(angle);
            values[cosineOffset + i] = (float) Math.cos(angle);
        }
        return Tensors.of(values, 1, values.length);
    }
}
