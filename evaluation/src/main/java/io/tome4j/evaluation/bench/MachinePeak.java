package io.tome4j.evaluation.bench;

import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * The most that this machine reaches in the two operations that a UNet mostly consists of, measured.
 *
 * @param convolution floating-point operations a second of a 3x3 convolution of 320 channels on {@code [2, 320, 64, 64]}
 * @param linear those of a linear layer of 1280 on 4096 tokens
 */
public record MachinePeak(double convolution, double linear) {
    private static final double NANOS = 1e9;
    private static final int TRIES = 12;
    private static final long CHANNELS = 320;
    private static final long SIDE = 64;
    private static final long TOKENS = 4096;
    private static final long SIZE = 1280;

    /** Measures both: the best of several tries. */
    public static MachinePeak measure(Placement placement) {
        try (var scope = TensorScope.open()) {
            Tensor image = random(placement, 2, CHANNELS, SIDE, SIDE).contiguous(MemoryFormat.ChannelsLast);
            Tensor kernel = random(placement, CHANNELS, CHANNELS, 3, 3).contiguous(MemoryFormat.ChannelsLast);
            Tensor tokens = random(placement, TOKENS, SIZE);
            Tensor weight = random(placement, SIZE, SIZE);
            DeviceMemory device = DeviceMemory.of(placement);
            long[] ones = {1, 1};
            return new MachinePeak(
                    2.0
                            * 2
                            * SIDE
                            * SIDE
                            * CHANNELS
                            * CHANNELS
                            * 9
                            / best(
                                    device,
                                    () -> torch.conv2d(image, kernel, new TensorOptional(), ones, ones, ones, 1)),
                    2.0 * TOKENS * SIZE * SIZE / best(device, () -> torch.linear(tokens, weight)));
        }
    }

    /** The larger of the two. */
    public double most() {
        return Math.max(convolution, linear);
    }

    private static Tensor random(Placement placement, long... shape) {
        return placement.place(torch.randn(shape, Tensors.fp32()));
    }

    /** Seconds of the fastest try. */
    private static double best(DeviceMemory device, Runnable work) {
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < TRIES; i++) {
            try (var scope = TensorScope.open()) {
                device.synchronize();
                long start = System.nanoTime();
                work.run();
                device.synchronize();
                best = Math.min(best, (System.nanoTime() - start) / NANOS);
            }
        }
        return best;
    }
}
