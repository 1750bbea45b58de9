package io.tome4j.tensor;

import io.tome4j.kernels.Convolution;
import io.tome4j.kernels.Kernels;
import io.tome4j.kernels.WinogradConvolution;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * Convolutions of 3x3 that keep the size, by {@link WinogradConvolution}: blocks of tiles, and groups of channels where
 * tiles are few, are spread over threads. Besides the result there is only what each thread has of a block.
 */
final class Winograd implements Conv2d.Kernel {
    /** Multiplications in all from which on other threads are worth waking. */
    private static final long SPREAD_FROM = 20_000_000;

    /** Pieces of work for each thread, if not more, so that none waits long for the last one. */
    private static final long PIECES = 4;

    /** Weights that stay in the processor's last cache while all tiles go by. */
    private static final long CACHED_BYTES = 16 << 20;

    /** Channels whose weights one thread arranges at a time, a multiple of what the kernel takes together. */
    private static final long CHANNELS = 64;

    private final WinogradConvolution kernel;
    private final long in;
    private final long out;

    private Winograd(WinogradConvolution kernel, long in, long out) {
        this.kernel = kernel;
        this.in = in;
        this.out = out;
    }

    /** The kernel for a convolution of 3x3 with a stride and a padding of 1, if this machine has it for these channels. */
    static Optional<Conv2d.Kernel> find(Placement placement, long in, long out) {
        if (placement.convolution() == ConvolutionKernel.DIRECT
                || placement.device() != ComputeDevice.CPU
                || placement.dtype() != DType.BF16) {
            return Optional.empty();
        }
        return Kernels.here()
                .convolution()
                .filter(kernel -> kernel.takes(in, out))
                .map(kernel -> new Winograd(kernel, in, out));
    }

    @Override
    public Tensor layOut(Tensor weight) {
        try (var scope = TensorScope.open()) {
            Tensor filters = weight.contiguous(MemoryFormat.ChannelsLast); // [out, 3, 3, in] in memory
            Tensor arranged = weight.new_empty(kernel.weightBytes(in, out) / Short.BYTES);
            Workers workers = spreads(in * out * 16) ? Engine.start().workers() : Workers.NONE;
            workers.forEach((out + CHANNELS - 1) / CHANNELS, piece -> {
                long to = Math.min(out, (piece + 1) * CHANNELS);
                kernel.arrange(Tensors.address(filters), in, out, piece * CHANNELS, to, Tensors.address(arranged));
            });
            return scope.release(arranged);
        }
    }

    @Override
    public Tensor convolve(Tensor x, Tensor weight, Tensor bias) {
        long tiles = kernel.tiles(x.size(0), x.size(2), x.size(3));
        Workers workers = spreads(in * out * 16 * tiles) ? Engine.start().workers() : Workers.NONE;
        return convolve(x, weight, bias, workers);
    }

    private static boolean spreads(long multiplications) {
        return multiplications >= SPREAD_FROM;
    }

    /** @return {@code [B, out, H, W]}, channels-last */
    Tensor convolve(Tensor x, Tensor weight, Tensor bias, Workers workers) {
        try (var scope = TensorScope.open()) {
            Tensor pixels = x.contiguous(MemoryFormat.ChannelsLast);
            Tensor result = x.new_empty(x.size(0), x.size(2), x.size(3), out).permute(0, 3, 1, 2);
            var convolution = new Convolution(
                    Tensors.address(pixels),
                    Tensors.address(weight),
                    Tensors.address(bias),
                    Tensors.address(result),
                    x.size(0),
                    x.size(2),
                    x.size(3),
                    in,
                    out);
            compute(convolution, x, workers);
            return scope.release(result);
        }
    }

    private void compute(Convolution c, Tensor likeThis, Workers workers) {
        long tiles = kernel.tiles(c.images(), c.height(), c.width());
        long blocks = (tiles + WinogradConvolution.BLOCK - 1) / WinogradConvolution.BLOCK;
        long groups = kernel.groups(out);
        long forThreads = (PIECES * workers.count() + blocks - 1) / blocks;
        long forCache = (kernel.weightBytes(in, out) + CACHED_BYTES - 1) / CACHED_BYTES;
        long ranges = Math.min(groups, workers.count() == 1 ? forCache : Math.max(forThreads, forCache));

        Scratch scratch = new Scratch(likeThis, workers.count(), kernel.scratchBytes(in));

        AtomicLong next = new AtomicLong();
        workers.forEach(workers.count(), thread -> {
            for (long piece = next.getAndIncrement(); piece < blocks * ranges; piece = next.getAndIncrement()) {
                long block = piece % blocks; // a range's weights are in the cache while all blocks go by
                long range = piece / blocks;
                kernel.convolve(
                        c,
                        tiles * block / blocks,
                        tiles * (block + 1) / blocks,
                        groups * range / ranges,
                        groups * (range + 1) / ranges,
                        scratch.address(thread));
            }
        });
    }
}
