package io.tome4j.kernels;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;

/** A piece of native memory, handed out from its beginning to its end. Parts begin at multiples of 64 bytes. */
final class NativeMemory {
    private static final int ALIGNMENT = 64;

    private final ByteBuffer memory;
    private final long start;
    private int taken;

    /**
     * @param bytes in all, {@link #bytesOf} for each part
     * @param address of a direct buffer
     */
    NativeMemory(long bytes, ToLongFunction<Buffer> address) {
        this.memory = ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
        this.start = address.applyAsLong(memory);
    }

    /** What a part of so many bytes may need. */
    static long bytesOf(long part) {
        return part + ALIGNMENT - 1;
    }

    /** The next part. @return where it lies, for {@link #address} and the rest */
    int take(long bytes) {
        int part = taken + (int) (-(start + taken) & (ALIGNMENT - 1));
        taken = part + Math.toIntExact(bytes);
        if (taken > memory.capacity()) {
            throw new IllegalStateException(taken + " bytes of " + memory.capacity());
        }
        return part;
    }

    /** A matrix of bf16. */
    Matrix matrix(int part, long stride) {
        return new Matrix(address(part), stride);
    }

    long address(int part) {
        return start + part;
    }

    float bf16(int part, int index) {
        return Float.intBitsToFloat(memory.getShort(part + index * Short.BYTES) << 16);
    }

    /** Writes a number without the bits that bf16 lacks. */
    void putBf16(int part, int index, float number) {
        memory.putShort(part + index * Short.BYTES, (short) (Float.floatToRawIntBits(number) >>> 16));
    }

    float fp32(int part, int index) {
        return memory.getFloat(part + index * Float.BYTES);
    }

    void putFp32(int part, int index, float number) {
        memory.putFloat(part + index * Float.BYTES, number);
    }

    /** The next part, of bf16 numbers between {@code -range / 2} and {@code range / 2}. @return where it lies */
    int fill(SplittableRandom random, int count, double range) {
        int part = take((long) count * Short.BYTES);
        for (int i = 0; i < count; i++) {
            putBf16(part, i, (float) ((random.nextDouble() - 0.5) * range));
        }
        return part;
    }
}
