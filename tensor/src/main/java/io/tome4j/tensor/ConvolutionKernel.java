package io.tome4j.tensor;

import io.tome4j.kernels.Kernels;

/** How convolutions are computed: one of several ways with the same result but for rounding. */
public enum ConvolutionKernel {
    /**
     * Convolutions of 3x3 with fewer products than the definition has (Winograd, arXiv 1509.09308), where this machine
     * has the kernel for it ({@code kernels/}): in bf16 on a CPU with the instructions. All others as {@link #DIRECT}.
     */
    EFFICIENT,

    /** As libtorch computes them, on a CPU by oneDNN. */
    DIRECT;

    /** What goes with a way to compute attention: kernels of our own for both or for neither. */
    public static ConvolutionKernel beside(AttentionKernel attention) {
        return attention == AttentionKernel.EFFICIENT ? EFFICIENT : DIRECT;
    }

    /** What computes convolutions of 3x3 in bf16 on the CPU, for people. */
    public String describe() {
        return this == EFFICIENT && Kernels.here().convolution().isPresent() ? "winograd" : "direct";
    }
}
