package io.tome4j.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** A fully connected layer, {@code torch.nn.Linear}: {@code y = x W^T + b}. */
public final class Linear {
    private final Tensor weight; // [out, in]
    private final @org.jspecify.annotations.Nullable Tensor bias; // [out]

    private Linear(Tensor weight, @org.jspecify.annotations.Nullable Tensor bias) {
        this.weight = weight;
        this.bias = bias;
    }

    /** Takes {@code weight [out, in]} and {@code bias [out]}. */
    public static Linear of(Weights weights, long in, long out) {
        return new Linear(weights.take("weight", out, in), weights.take("bias", out));
    }

    /** Takes a 1x1 convolution's {@code weight [out, in, 1, 1]} and {@code bias [out]}: the same, over tokens. */
    public static Linear ofConv1x1(Weights weights, long in, long out) {
        try (var scope = TensorScope.open()) {
            Tensor kernel = weights.take("weight", out, in, 1, 1);
            return new Linear(weights.own(scope.retain(kernel.view(out, in))), weights.take("bias", out));
        }
    }

    /** Takes {@code weight [out, in]} alone. */
    public static Linear withoutBias(Weights weights, long in, long out) {
        return new Linear(weights.take("weight", out, in), null);
    }

    /**
     * A layer without bias over a weight that someone else owns.
     *
     * @param weight {@code [out, in]}
     */
    public static Linear withoutBias(Tensor weight) {
        return new Linear(weight, null);
    }

    /** The weight, {@code [out, in]}; not to be changed. */
    public Tensor weight() {
        return weight;
    }

    /**
     * @param x {@code [..., in]}
     * @return {@code [..., out]}
     */
    public Tensor forward(Tensor x) {
        try (var section = Profile.section(Profile.Part.LINEAR, () -> 2 * x.numel() * weight.size(0))) {
            return bias == null ? torch.linear(x, weight) : torch.linear(x, weight, new TensorOptional(bias));
        }
    }
}
