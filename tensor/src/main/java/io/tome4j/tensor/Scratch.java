package io.tome4j.tensor;

import org.bytedeco.pytorch.Tensor;

/** Memory that a kernel's threads compute in, a piece for each. It belongs to the scope that was open when it was made. */
final class Scratch {
    private static final long ALIGNMENT = 64;

    private final Tensor memory;
    private final long start;
    private final long bytes; // of a piece

    /**
     * @param likeThis a tensor on the CPU with elements of two bytes
     * @param bytes of each piece
     */
    Scratch(Tensor likeThis, long pieces, long bytes) {
        this.bytes = roundUp(bytes);
        this.memory = likeThis.new_empty((pieces * this.bytes + ALIGNMENT) / Short.BYTES);
        this.start = roundUp(Tensors.address(memory));
    }

    /** Where a thread's piece begins: a multiple of 64. */
    long address(long thread) {
        return start + thread * bytes;
    }

    private static long roundUp(long number) {
        return (number + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
