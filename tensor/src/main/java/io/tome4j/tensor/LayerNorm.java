package io.tome4j.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Normalisation over the last dimension, {@code torch.nn.LayerNorm}. */
public final class LayerNorm {
    private final long[] shape;
    private final Tensor weight; // [C]
    private final Tensor bias; // [C]
    private final double eps;

    private LayerNorm(long channels, Tensor weight, Tensor bias, double eps) {
        this.shape = new long[] {channels};
        this.weight = weight;
        this.bias = bias;
        this.eps = eps;
    }

    /**
     * Takes {@code weight [channels]} and {@code bias [channels]}.
     *
     * @param eps what is added to the variance
     */
    public static LayerNorm of(Weights weights, long channels, double eps) {
        return new LayerNorm(channels, weights.take("weight", channels), weights.take("bias", channels), eps);
    }

    /**
     * @param x {@code [..., C]}
     * @return the same shape
     */
    public Tensor forward(Tensor x) {
        try (var section = Profile.section(Profile.Part.NORMALIZATION)) {
            return torch.layer_norm(x, shape, new TensorOptional(weight), new TensorOptional(bias), eps, true);
        }
    }
}
