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
}
