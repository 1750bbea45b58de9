package io.tome4j.tensor;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.jspecify.annotations.Nullable;

/** A two-dimensional convolution with bias, {@code torch.nn.Conv2d}. */
public final class Conv2d {
    private final Tensor weight; // [out, in, k, k], in oneDNN's layout where there is oneDNN
    private final Tensor bias; // [out]
    private final @Nullable OneDnn oneDnn;
    private final long[] stride;
    private final long[] padding;

    private Conv2d(Tensor weight, Tensor bias, @Nullable OneDnn oneDnn, long[] stride, long[] padding) {
        this.weight = weight;
        this.bias = bias;
        this.oneDnn = oneDnn;
        this.stride = stride;
        this.padding = padding;
    }

    /** Takes {@code weight [out, in, kernel, kernel]} and {@code bias [out]}. */
    public static Conv2d of(Weights weights, long in, long out, int kernel, int stride, int padding) {
        return of(weights, weights.take("bias", out), in, out, kernel, stride, padding);
    }

    /** Takes {@code weight [out, in, 3, 3]} alone: a convolution that keeps the size, or halves it with a stride of 2. */
    public static Conv2d withoutBias3x3(Weights weights, long in, long out, int stride) {
        try (var scope = TensorScope.open()) {
            Tensor zero = scope.retain(
                    torch.zeros(new long[] {out}, weights.placement().options()));
            return of(weights, weights.own(zero), in, out, 3, stride, 1);
        }
    }

    private static Conv2d of(Weights weights, Tensor bias, long in, long out, int kernel, int stride, int padding) {
        OneDnn oneDnn = Engine.start().oneDnn(weights.placement());
        long[] strides = {stride, stride};
        long[] paddings = {padding, padding};
        Tensor weight = weights.takeJoined(
                List.of("weight"),
                plain -> oneDnn == null
                        ? plain.contiguous(MemoryFormat.ChannelsLast)
                        : oneDnn.layOutConvolution(plain, strides, paddings),
                out,
                in,
                kernel,
                kernel);
        return new Conv2d(weight, bias, oneDnn, strides, paddings);
    }

    /** A 3x3 convolution that keeps the size. */
    public static Conv2d of3x3(Weights weights, long in, long out) {
        return of(weights, in, out, 3, 1, 1);
    }

    /** A 1x1 convolution. */
    public static Conv2d of1x1(Weights weights, long in, long out) {
        return of(weights, in, out, 1, 1, 0);
    }

    /**
     * @param x {@code [B, in, H, W]}
     * @return {@code [B, out, (H + 2 padding - kernel) / stride + 1, likewise W]}
     */
    public Tensor forward(Tensor x) {
        try (var section = Profile.section(Profile.Part.CONVOLUTION, () -> flops(x))) {
            if (oneDnn != null) {
                return oneDnn.convolution(x, weight, bias, stride, padding);
            }
            return torch.conv2d(x, weight, new TensorOptional(bias), stride, padding, new long[] {1, 1}, 1);
        }
    }

    private long flops(Tensor x) {
        long rows = (x.size(2) + 2 * padding[0] - weight.size(2)) / stride[0] + 1;
        long columns = (x.size(3) + 2 * padding[1] - weight.size(3)) / stride[1] + 1;
        return 2 * x.size(0) * rows * columns * weight.numel();
    }
}
