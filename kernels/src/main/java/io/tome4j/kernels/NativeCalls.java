package io.tome4j.kernels;

import java.nio.Buffer;

/** The native methods, bound once {@link NativeLibrary} is loaded. Strides count elements. */
final class NativeCalls {
    private NativeCalls() {}

    /** Whether the CPU and the operating system have AVX-512 with bf16. */
    static native boolean hasAvx512Bf16();

    /** Whether the CPU and the operating system have AMX with bf16. */
    static native boolean hasAmxBf16();

    /** Address of a direct buffer's memory. */
    static native long address(Buffer buffer);

    static native long scratchBytes(long keys, long size);

    static native void attend(
            long queries,
            long queryStride,
            long keys,
            long keyStride,
            long values,
            long valueStride,
            long mask,
            long maskStride,
            long bias,
            long out,
            long outStride,
            long rows,
            long count,
            long size,
            float scale,
            long scratch);

    static native long winogradWeightBytes(long in, long out);

    static native long winogradScratchBytes(long in);

    static native long winogradTiles(long images, long height, long width);

    static native long winogradGroups(long out);

    static native void winogradArrange(long weights, long in, long out, long from, long to, long arranged);

    static native void winogradConvolve(
            long x,
            long weights,
            long bias,
            long result,
            long images,
            long height,
            long width,
            long in,
            long out,
            long firstTile,
            long endTile,
            long firstGroup,
            long endGroup,
            long scratch);
}
