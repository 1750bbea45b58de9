package io.tome4j.kernels;

/**
 * A matrix in native memory whose rows' elements lie side by side.
 *
 * @param address of the first element
 * @param stride elements from the beginning of a row to that of the next
 */
public record Matrix(long address, long stride) {
    /** No matrix. */
    public static final Matrix NONE = new Matrix(0, 0);

    /** The same matrix of bf16 without its first rows. */
    Matrix from(long row) {
        return address == 0 ? this : new Matrix(address + row * stride * Short.BYTES, stride);
    }
}
