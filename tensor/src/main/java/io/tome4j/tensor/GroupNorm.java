package io.tome4j.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Normalisation over groups of channels, {@code torch.nn.GroupNorm}. */
public final class GroupNorm {
    private final long groups;
    private final Tensor weight; // [C]
    private final Tensor bias; // [C]
    private final double eps;

    private GroupNorm(long groups, Tensor weight, Tensor bias, double eps) {
        this.groups = groups;
        this.weight = weight;
        this.bias = bias;
        this.eps = eps;
    }

    /**
     * Takes {@code weight [channels]} and {@code bias [channels]}.
     *
     * @param groups a divisor of {@code channels}
     * @param eps what is added to the variance
     */
    public static GroupNorm of(Weights weights, long groups, long channels, double eps) {
        return new GroupNorm(groups, weights.take("weight", channels), weights.take("bias", channels), eps);
    }

    /**
     * @param x {@code [B, C, ...]}
     * @return the same shape
     */
    public Tensor forward(Tensor x) {
        try (var section = Profile.section(Profile.Part.NORMALIZATION)) {
            return torch.group_norm(x, groups, new TensorOptional(weight), new TensorOptional(bias), eps, true);
        }
    }
}
