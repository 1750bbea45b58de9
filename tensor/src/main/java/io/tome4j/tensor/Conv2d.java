package io.tome4j.tensor;

import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** A two-dimensional convolution with bias, {@code torch.nn.Conv2d}. */
public final class Conv2d {
    private final Kernel kernel;
    private final Tensor weight; // [out, in, k, k], in the kernel's layout
    private final Tensor bias; // [out]
    private final long filterElements; // out * in * k * k
    private final int size; // of the filters: k
    private final int stride;
    private final int padding;

    /** What computes it. */
    interface Kernel {
        /**
         * @param weight {@code [out, in, k, k]}
         * @return the same as this kernel wants it
         */
        Tensor layOut(Tensor weight);

        /**
         * @param x {@code [B, in, H, W]}
         * @param weight from {@link #layOut}
         * @param bias {@code [out]}
         */
        Tensor convolve(Tensor x, Tensor weight, Tensor bias);
    }

    /** As wide as high. */
    private static long[] both(long size) {
        return new long[] {size, size};
    }

    private record Torch(long stride, long padding) implements Kernel {
        @Override
        public Tensor layOut(Tensor weight) {
            return weight.contiguous(MemoryFormat.ChannelsLast);
        }

        @Override
        public Tensor convolve(Tensor x, Tensor weight, Tensor bias) {
            return torch.conv2d(x, weight, new TensorOptional(bias), both(stride), both(padding), both(1), 1);
        }
    }

    private record ByOneDnn(OneDnn oneDnn, long stride, long padding) implements Kernel {
        @Override
        public Tensor layOut(Tensor weight) {
            return oneDnn.layOutConvolution(weight, both(stride), both(padding));
        }

        @Override
        public Tensor convolve(Tensor x, Tensor weight, Tensor bias) {
            return oneDnn.convolution(x, weight, bias, both(stride), both(padding));
        }
    }

    private Conv2d(Kernel kernel, Tensor weight, Tensor bias, long filterElements, int size, int stride, int padding) {
        this.kernel = kernel;
        this.weight = weight;
        this.bias = bias;
        this.filterElements = filterElements;
        this.size = size;
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

    private static Conv2d of(Weights weights, Tensor bias, long in, long out, int size, int stride, int padding) {
        Kernel kernel = kernel(weights.placement(), in, out, size, stride, padding);
        Tensor weight = weights.takeJoined(List.of("weight"), kernel::layOut, out, in, size, size);
        return new Conv2d(kernel, weight, bias, out * in * size * size, size, stride, padding);
    }

    private static Kernel kernel(Placement placement, long in, long out, int size, int stride, int padding) {
        if (size == 3 && stride == 1 && padding == 1) {
            Optional<Kernel> winograd = Winograd.find(placement, in, out);
            if (winograd.isPresent()) {
                return winograd.get();
            }
        }
        OneDnn oneDnn = Engine.start().oneDnn(placement);
        return oneDnn == null ? new Torch(stride, padding) : new ByOneDnn(oneDnn, stride, padding);
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
            return kernel.convolve(x, weight, bias);
        }
    }

    /** What the definition takes, however it is computed. */
    private long flops(Tensor x) {
        long rows = (x.size(2) + 2L * padding - size) / stride + 1;
        long columns = (x.size(3) + 2L * padding - size) / stride + 1;
        return 2 * x.size(0) * rows * columns * filterElements;
    }
}
