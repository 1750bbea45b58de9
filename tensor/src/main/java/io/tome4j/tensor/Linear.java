package io.tome4j.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A fully connected layer, {@code torch.nn.Linear}: {@code y = x W^T + b}. */
public final class Linear {
    private final Tensor weight; // [out, in], in oneDNN's layout where there is oneDNN
    private final @Nullable Tensor bias; // [out]
    private final @Nullable OneDnn oneDnn;

    private Linear(Tensor weight, @Nullable Tensor bias, @Nullable OneDnn oneDnn) {
        this.weight = weight;
        this.bias = bias;
        this.oneDnn = oneDnn;
    }

    /** Takes {@code weight [out, in]} and {@code bias [out]}. */
    public static Linear of(Weights weights, long in, long out) {
        return taken(weights, List.of("weight"), weights.take("bias", out), out, in);
    }

    /** Takes a 1x1 convolution's {@code weight [out, in, 1, 1]} and {@code bias [out]}: the same, over tokens. */
    public static Linear ofConv1x1(Weights weights, long in, long out) {
        return taken(weights, List.of("weight"), weights.take("bias", out), out, in, 1, 1);
    }

    /** Takes {@code weight [out, in]} alone. */
    public static Linear withoutBias(Weights weights, long in, long out) {
        return taken(weights, List.of("weight"), null, out, in);
    }

    /**
     * Takes the weights of several layers that read the same input, and gives one layer without bias.
     *
     * @param names of tensors of {@code [out, in]} each
     * @return a layer whose result has {@code names * out} elements, one layer's after the other's
     */
    public static Linear joined(Weights weights, List<String> names, long in, long out) {
        return taken(weights, names, null, out, in);
    }

    /**
     * Takes {@code weight [out, in]} and {@code bias [out]} of a layer whose result is used in parts, and gives one
     * layer for each part.
     *
     * @param parts a divisor of {@code out}
     */
    public static List<Linear> split(Weights weights, long in, long out, int parts) {
        OneDnn oneDnn = Engine.start().oneDnn(weights.placement());
        long size = out / parts;
        List<Linear> layers = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            long from = part * size;
            Tensor weight = weights.take(
                    "weight",
                    whole -> {
                        Tensor rows = Tensors.slice(whole, 0, from, from + size);
                        return oneDnn == null ? rows.clone() : oneDnn.layOutLinear(rows);
                    },
                    out,
                    in);
            Tensor bias = weights.take(
                    "bias", whole -> Tensors.slice(whole, 0, from, from + size).clone(), out);
            layers.add(new Linear(weight, bias, oneDnn));
        }
        return layers;
    }

    private static Linear taken(Weights weights, List<String> names, @Nullable Tensor bias, long... shape) {
        OneDnn oneDnn = Engine.start().oneDnn(weights.placement());
        Tensor weight =
                weights.takeJoined(names, joined -> laidOut(oneDnn, joined.view(joined.size(0), shape[1])), shape);
        return new Linear(weight, bias, oneDnn);
    }

    private static Tensor laidOut(@Nullable OneDnn oneDnn, Tensor weight) {
        return oneDnn == null ? weight.clone() : oneDnn.layOutLinear(weight);
    }

    /**
     * A layer without bias over a weight that someone else owns.
     *
     * @param weight {@code [out, in]}
     */
    public static Linear withoutBias(Tensor weight) {
        return new Linear(weight, null, null);
    }

    /** Elements of an input vector. */
    public long in() {
        return weight.size(1);
    }

    /** Elements of a result vector. */
    public long out() {
        return weight.size(0);
    }

    /**
     * @param x {@code [..., in]}
     * @return {@code [..., out]}
     */
    public Tensor forward(Tensor x) {
        try (var section = Profile.section(Profile.Part.LINEAR, () -> 2 * x.numel() * out())) {
            if (oneDnn != null) {
                return oneDnn.linear(x, weight, bias);
            }
            return bias == null ? torch.linear(x, weight) : torch.linear(x, weight, new TensorOptional(bias));
        }
    }
}
